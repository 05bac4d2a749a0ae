/** Code that a page asks for when it needs it: a line that is cut meanwhile delays it, no more. */

const AGAIN_MS = 1000;

/** What `load` loads, however often it has to be asked for. */
export async function later<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await load();
    } catch {
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}
