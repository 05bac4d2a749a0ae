/** The time, second by second, for what says how long ago something was. */

import { useEffect, useState } from "preact/hooks";

export function useSecond(): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
