// A promise that others settle, and that nobody has to look at.

export class Deferred {
  readonly promise: Promise<void>;
  // Set by the promise's constructor, which runs at once.
  resolve: () => void = () => {};
  reject: (error: unknown) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}
