/** The script of the run page: it runs in the webview and knows no VS Code API but `acquireVsCodeApi`. */

import { RunPage } from "./page";

interface WebviewApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): WebviewApi;

const api = acquireVsCodeApi();
const root = document.getElementById("page");
if (root) {
  const page = new RunPage(root, {
    post: (message) => api.postMessage(message),
    getState: () => api.getState(),
    setState: (state) => api.setState(state),
  });
  addEventListener("message", (event) => page.take(event.data));
  page.begin();
}
