/** The script of the run page: it runs in the webview and knows no VS Code API but `acquireVsCodeApi`. */
export {};
