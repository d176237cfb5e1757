// Handles its own errors.
self.onerror = (...args) => {
  self.postMessage(args.map((arg) => (arg instanceof Error ? `${arg.name}: ${arg.message}` : typeof arg)));
  return true;
};
self.onmessage = ({ data }) => { throw new TypeError(data); };
