self.onmessage = () => self.postMessage('lives on');
throw new RangeError('at once');
