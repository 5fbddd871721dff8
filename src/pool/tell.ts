// Calling listeners of users, who may throw.

/**
 * Calls listeners. What one throws becomes an uncaught exception, as it would be in a turn of its own, and does not
 * keep whoever calls from finishing what it does.
 */
export function tell(emit: () => void): void {
  try {
    emit();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
