// A module worker that does what messages tell it.
self.onmessage = ({ data, ports }) => {
  switch (data.run) {
    case 'echo': self.postMessage(data.value); break;
    case 'about': self.postMessage({ name: self.name, self: self === globalThis, module: import.meta.url }); break;
    case 'throw': throw new RangeError(data.value);
    case 'reject': Promise.reject(new RangeError(data.value)); break;
    case 'port': ports[0].postMessage('through the port'); ports[0].close(); break;
    case 'transfer': self.postMessage(data.buffer, [data.buffer]); break;
    case 'transfer option': self.postMessage(data.buffer, { transfer: [data.buffer] }); break;
    case 'close': self.postMessage('closing'); self.close(); self.postMessage('closed'); break;
    case 'loop': self.postMessage('loops'); for (;;);
  }
};
