// What attacks from inside are written with: a head for Python programs that
// try system calls and say what came of each, "done" or the error.

export const ATTEMPTS = `
import ctypes, os, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, call):
    try:
        r = call()
        print(name, "done" if r is None or r >= 0 else os.strerror(ctypes.get_errno()))
    except OSError as e:
        print(name, e.strerror)
`;
