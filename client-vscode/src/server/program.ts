/** The program itself, for its other commands: `devloop lsp` → `devloop`. Pure. */
export function withoutLsp(command: readonly string[]): readonly string[] | undefined {
  const at = command.lastIndexOf("lsp");
  return at > 0 ? command.slice(0, at) : undefined;
}
