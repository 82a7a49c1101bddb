import type { Tone } from "../words";
import { svg } from "./dom";

const SHAPES: Readonly<Record<Tone, string>> = {
  good: "M6.3 11.6 2.9 8.2l1.2-1.2 2.2 2.2 5.6-5.6 1.2 1.2z",
  bad: "M8 6.8 11.3 3.5l1.2 1.2L9.2 8l3.3 3.3-1.2 1.2L8 9.2l-3.3 3.3-1.2-1.2L6.8 8 3.5 4.7l1.2-1.2z",
  wait: "M8 1.6a6.4 6.4 0 1 0 0 12.8A6.4 6.4 0 0 0 8 1.6Zm0 1.5a4.9 4.9 0 1 1 0 9.8 4.9 4.9 0 0 1 0-9.8Zm-.8 1.4v4l2.9 1.7.7-1.2-2.1-1.3V4.5z",
  busy: "M8 1.6A6.4 6.4 0 0 0 1.6 8h1.6A4.8 4.8 0 0 1 8 3.2z",
  calm: "M8 4.4a3.6 3.6 0 1 0 0 7.2 3.6 3.6 0 0 0 0-7.2Z",
};

/** A small picture of a state; the word beside it says the same. */
export function icon(tone: Tone): SVGElement {
  return svg(
    "svg",
    {
      class: `icon ${tone}`,
      viewBox: "0 0 16 16",
      width: "16",
      height: "16",
      "aria-hidden": "true",
      focusable: "false",
    },
    svg("path", { d: SHAPES[tone] }),
  );
}
