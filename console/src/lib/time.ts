/** Times: every form that the API says them in, and one form to show them in. */

const NAIVE = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?$/;

/** Milliseconds of a time in UTC that may not say so. */
export function milliseconds(said: string): number {
  return Date.parse(NAIVE.test(said) ? `${said.replace(" ", "T")}Z` : said);
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

/** A day and a time, or one of them, in UTC or where the reader is. */
export function clock(time: number, isLocal: boolean, form: "time" | "minute" | "day" | "full"): string {
  const at = new Date(isLocal ? time - new Date(time).getTimezoneOffset() * 60_000 : time);
  const day = `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  const minute = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  if (form === "day") return day;
  if (form === "minute") return minute;
  const second = `${minute}:${two(at.getUTCSeconds())}`;
  return form === "time" ? second : `${day} ${second}`;
}

/** How long something is, in its two largest units. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
