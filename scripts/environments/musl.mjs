export function musl() {
  return {};
}
