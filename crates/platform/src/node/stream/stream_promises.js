// node:stream/promises.
const { promised } = require('stream_finished');
const { isIterable, isNodeStream, isWebStream } = require('stream_shared');
exports.finished = promised;
exports.pipeline = function pipeline(...streams) {
  return new Promise((resolve, reject) => {
    let options;
    const last = streams[streams.length - 1];
    if (last && typeof last === 'object' && !isNodeStream(last) && !isIterable(last) && !isWebStream(last)) {
      const { signal, end } = $.pop(streams);
      options = { signal, end };
    }
    require('stream_pipeline').run(streams, (error, value) => {
      if (error) reject(error);
      else resolve(value);
    }, options);
  });
};
