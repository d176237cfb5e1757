// Handles its own errors, by an event.
self.addEventListener('error', (event) => {
  event.preventDefault();
  self.postMessage({ message: event.message, error: event.error.message, filename: event.filename, lineno: event.lineno });
});
self.addEventListener('message', ({ data }) => {
  throw new TypeError(data);
});
