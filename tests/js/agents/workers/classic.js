// A classic worker: sloppy, its `this` is the global object, with importScripts.
var declared = 1;
undeclared = 2;
var result = { self: this === self, declared: self.declared, undeclared: self.undeclared, name: self.name };
importScripts('classic-part.js');
importScripts();
importScripts('classic-part.js', './classic-part.js');
result.parts = parts;
try {
  importScripts('classic-throws.js');
} catch (error) {
  result.thrown = error.message;
}
try {
  importScripts('is-not-there.js');
} catch (error) {
  result.missing = error.name;
}
postMessage(result);
