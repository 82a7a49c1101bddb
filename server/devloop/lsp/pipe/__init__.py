"""`devloop lsp`: what an editor starts. It answers `initialize` at once, with the standard library alone, and then
passes messages between the editor and the workspace's daemon, whichever daemon that is at the moment."""
