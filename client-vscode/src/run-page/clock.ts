/** Moments (Unix seconds) as people read them, in the time of the machine that shows them. */

const two = (value: number) => String(value).padStart(2, "0");

export function clock(seconds: number): string {
  const at = new Date(seconds * 1000);
  return Number.isNaN(at.getTime()) ? "" : `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** For `<time datetime>`; "" for what is no moment. */
export function iso(seconds: number): string {
  const at = new Date(seconds * 1000);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}
