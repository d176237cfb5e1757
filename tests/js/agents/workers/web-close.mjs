// Closes itself while messages wait and timers run.
self.onmessage = ({ data }) => {
  self.postMessage(`got ${data}`);
  if (data === 1) {
    setTimeout(() => self.postMessage('timer'), 0);
    Promise.resolve().then(() => self.postMessage('microtask'));
    self.close();
  }
};
self.postMessage('ready');
