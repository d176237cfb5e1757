// Built-in modules of Node that are there to be imported, and say when they are used that they are not implemented.
const { notImplemented } = require('errors');

const refusing = (name, full) => Object.defineProperty(() => {
  throw notImplemented(full);
}, 'name', { __proto__: null, value: name, configurable: true });
const refusingClass = (name, full) => Object.defineProperty(class {
  constructor() {
    throw notImplemented(full);
  }
}, 'name', { __proto__: null, value: name, configurable: true });

/** Words as names of functions, or of classes if they begin with a capital letter, which throw when they are called. */
const absent = (module, names) => {
  const made = {};
  for (const name of $.each($.split(names, ' '))) {
    const make = $.regex(/^[A-Z]/).test(name) ? refusingClass : refusing;
    made[name] = make(name, $.text`${module}.${name}`);
  }
  return made;
};

// What each module has: names of what is absent, and what works, because it says that the feature is not in use.
const inspector = {
  absent: 'open waitForDebugger Session',
  works: () => ({
    close() {}, url() {}, console: {},
    Network: absent('inspector.Network', 'requestWillBeSent responseReceived loadingFinished loadingFailed ' +
      'dataSent dataReceived webSocketCreated webSocketHandshakeResponseReceived webSocketClosed'),
    NetworkResources: absent('inspector.NetworkResources', 'put'),
    DOMStorage: absent('inspector.DOMStorage', 'domStorageItemAdded domStorageItemRemoved domStorageItemUpdated ' +
      'domStorageItemsCleared registerStorage'),
  }),
};
const modules = {
  __proto__: null,
  cluster: {
    absent: 'setupPrimary setupMaster fork disconnect Worker',
    works: () => Object.assign(new (require('events').EventEmitter)(), {
      isWorker: false, isMaster: true, isPrimary: true, workers: {}, settings: {}, SCHED_NONE: 1, SCHED_RR: 2,
      schedulingPolicy: 2,
    }),
  },
  domain: { absent: 'Domain createDomain create', works: () => ({ _stack: [], active: null }) },
  inspector,
  'inspector/promises': inspector,
  repl: {
    absent: 'start REPLServer Recoverable isValidSyntax',
    works: () => ({
      writer: require('inspect').inspect,
      REPL_MODE_SLOPPY: Symbol('repl-sloppy'), REPL_MODE_STRICT: Symbol('repl-strict'),
    }),
  },
  sea: { absent: 'getAsset getRawAsset getAssetAsBlob getAssetKeys', works: () => ({ isSea: () => false }) },
  sqlite: {
    absent: 'DatabaseSync StatementSync Session backup',
    works: () => ({ constants: {
      SQLITE_CHANGESET_OMIT: 0, SQLITE_CHANGESET_REPLACE: 1, SQLITE_CHANGESET_ABORT: 2,
      SQLITE_CHANGESET_DATA: 1, SQLITE_CHANGESET_NOTFOUND: 2, SQLITE_CHANGESET_CONFLICT: 3,
      SQLITE_CHANGESET_CONSTRAINT: 4, SQLITE_CHANGESET_FOREIGN_KEY: 5,
    } }),
  },
  'test/reporters': { absent: 'dot junit spec tap lcov', works: () => ({}) },
  trace_events: { absent: 'createTracing', works: () => ({ getEnabledCategories() {} }) },
};
for (const name of $.each(Object.keys(modules))) {
  Object.defineProperty(exports, name, {
    enumerable: true,
    get() {
      const { absent: names, works } = modules[name];
      const module = $.split(name, '/')[0];
      return Object.assign(works(), absent(module, names));
    },
  });
}
