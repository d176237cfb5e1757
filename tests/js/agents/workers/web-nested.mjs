const inner = new Worker(new URL('./web.mjs', import.meta.url), { type: 'module', name: 'inner' });
inner.onmessage = ({ data }) => { self.postMessage({ inner: data.name }); inner.terminate(); };
inner.postMessage({ run: 'about' });
