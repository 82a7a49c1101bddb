// A plan for what happens around runs: one that works for minutes, and one that waits at once.
import { endless, work } from "./project.mjs";

export const SMALL = `# Plan: Post office

**Status**: In Progress

## Phase 1: Letters

- [ ] Task 1.1: Read every letter
- [ ] Task 1.2: Weigh the letters

## Progress Log
`;
export const TASKS = { 1.1: endless(), 1.2: work("purse/weigh.py", "GRAMS = 20\n") };
