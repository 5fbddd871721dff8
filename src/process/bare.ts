// What somebody has put into Object.prototype is no option, and no part of
// anything that options become.

/** The same properties in an object that inherits nothing. */
export function bare<T extends object>(properties: T): T {
  return Object.assign(Object.create(null) as T, properties);
}
