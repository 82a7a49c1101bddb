/** Building the page. Texts become text nodes; there is no way from a text to markup, an address or a handler. */

export type Child = Node | string | null | undefined | false;

type Attribute =
  | "dir"
  | "for"
  | "hidden"
  | "id"
  | "lang"
  | "rows"
  | "role"
  | "scope"
  | "tabindex"
  | "title"
  | "type"
  | "datetime"
  | `aria-${string}`
  | `data-${string}`;
export type Attributes = { readonly [K in Attribute]?: string };

export interface Options {
  readonly class?: string;
  readonly attributes?: Attributes;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: Options | string = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  const { class: names, attributes }: Options = typeof options === "string" ? { class: options } : options;
  if (names) {
    made.className = names;
  }
  assign(made, attributes ?? {});
  made.append(...present(children));
  return made;
}

export function present(children: readonly Child[]): readonly (Node | string)[] {
  return children.filter((child): child is Node | string => Boolean(child));
}

/** The children of `parent` from now on. */
export function fill(parent: Element, ...children: readonly Child[]): void {
  parent.replaceChildren(...present(children));
}

export interface ButtonOptions extends Options {
  readonly onClick: () => void;
}

export function button(label: Child, { onClick, class: names, attributes }: ButtonOptions): HTMLButtonElement {
  const made = el("button", { class: names ?? "", attributes: { type: "button", ...attributes } }, label);
  made.addEventListener("click", onClick);
  return made;
}

type SvgAttribute =
  | "class"
  | "d"
  | "height"
  | "viewBox"
  | "width"
  | "x"
  | "y"
  | "rx"
  | Attribute
  | "focusable"
  | "preserveAspectRatio";

export function svg(
  tag: "svg" | "g" | "rect" | "path" | "title",
  attributes: { readonly [K in SvgAttribute]?: string } = {},
  ...children: readonly Child[]
): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  assign(made, attributes);
  made.append(...present(children));
  return made;
}

function assign(element: Element, attributes: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) {
      element.setAttribute(name, value);
    }
  }
}

let counter = 0;

/** An id that no other element has. */
export function uniqueId(word: string): string {
  counter += 1;
  return `${word}-${counter}`;
}

/** A part of the page with a heading, which a screen reader can go to. */
export function section(names: string, heading: string): { readonly root: HTMLElement; readonly title: HTMLElement } {
  const title = el("h2", { attributes: { id: uniqueId("part") } }, heading);
  const root = el("section", { class: names, attributes: { "aria-labelledby": title.id } });
  return { root, title };
}

/** Set a text only when it differs, so that nothing is read aloud again. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}
