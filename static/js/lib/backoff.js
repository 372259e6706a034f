// Trying again: soon at first, then ever more rarely, never in step with others, and at once when the line is back.

const FIRST_MS = 500;
const MOST_MS = 20_000;

/** Milliseconds to wait before try `tries + 1`: somewhere in the upper half of an interval that doubles. */
export function delayMs(tries, random = Math.random) {
  return Math.min(MOST_MS, FIRST_MS * 2 ** tries) * (0.5 + random() / 2);
}

/**
 * Resolves to what `call` resolves to. A failure with `isPassing` is tried again, for ever; any other one is thrown,
 * and so is the reason of `signal`. `onWait` is told of each failure before the wait.
 */
export async function persist(call, { signal, onWait = () => {} }) {
  for (let tries = 0; ; tries += 1) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (problem) {
      signal.throwIfAborted();
      if (!problem.isPassing) throw problem;
      onWait(problem);
      await wait(Math.max(delayMs(Math.min(tries, 10)), problem.retryAfterMs ?? 0), signal);
    }
  }
}

/** Resolves after `ms`, or as soon as the browser is online again; without a line it waits for one. */
export function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => navigator.onLine && finish(resolve), ms);
    const online = () => finish(resolve);
    const stop = () => finish(reject, signal.reason);
    const finish = (settle, value) => {
      clearTimeout(timer);
      removeEventListener("online", online);
      signal.removeEventListener("abort", stop);
      settle(value);
    };
    addEventListener("online", online);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
  });
}
