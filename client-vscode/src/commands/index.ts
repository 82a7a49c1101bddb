import type { Context } from "../context";

export function register(_context: Context): void {}
