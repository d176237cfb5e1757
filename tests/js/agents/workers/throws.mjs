throw Object.assign(new RangeError('from a worker'), { extra: { deep: [1] }, code: 'E_MINE' });
