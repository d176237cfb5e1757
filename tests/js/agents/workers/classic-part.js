var parts = (typeof parts === 'undefined' ? 0 : parts) + 1;
