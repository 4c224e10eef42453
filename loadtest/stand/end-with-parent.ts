/** Preloaded by processes of a stand (`--import`): they end with the process that started them, even when that was killed. */
process.on('disconnect', () => process.exit(0));
// Listening alone must not keep a process alive.
process.channel?.unref();
