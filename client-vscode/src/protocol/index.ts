/**
 * What goes over the wire, spelled as it is sent (server/ARCHITECTURE.md, "What the parts say to each other").
 * Everything here comes from outside: texts are foreign, lists may be long, and newer servers may say more.
 */

export type * from "./checkpoints";
export type * from "./commands";
export type * from "./library";
export type * from "./plan";
export type * from "./runs";
export type * from "./status";
export type * from "./work";
