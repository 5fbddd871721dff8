// Turns of this thread's event loop, told apart by number.

let turn = 0;
let asked = false;

/** The same until what awaits promises that are settled now has gone on. */
export function thisTurn(): number {
  if (!asked) {
    asked = true;
    // One for all who ask: thousands of children may be born in a turn.
    setImmediate(() => {
      asked = false;
      turn++;
    });
  }
  return turn;
}
