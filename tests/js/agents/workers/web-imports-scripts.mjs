try {
  importScripts('./classic-part.js');
  self.postMessage('no error');
} catch (error) {
  self.postMessage(error.name);
}
