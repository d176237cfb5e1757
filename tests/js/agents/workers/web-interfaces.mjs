const names = ['postMessage', 'close', 'onmessage', 'onmessageerror', 'onerror', 'addEventListener', 'name', 'location',
  'navigator', 'importScripts'];
self.postMessage({
  missing: names.filter((name) => !(name in self)),
  scope: self instanceof DedicatedWorkerGlobalScope && self instanceof WorkerGlobalScope && self instanceof EventTarget,
  tag: Object.prototype.toString.call(self),
  location: String(self.location),
});
