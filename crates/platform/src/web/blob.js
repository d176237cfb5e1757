exports.placeholder = undefined;
