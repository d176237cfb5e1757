const assert = require('node:assert/strict');
const { SourceMapConsumer, SourceMapGenerator } = require('source-map');

async function main() {
  const generator = new SourceMapGenerator({ file: 'out.js' });
  for (let line = 1; line <= 1000; line += 1) {
    generator.addMapping({
      generated: { line, column: 4 }, original: { line: line * 2, column: 8 }, source: 'in.js', name: `name${line % 7}`,
    });
  }
  generator.setSourceContent('in.js', 'a();');
  await SourceMapConsumer.with(generator.toString(), null, (consumer) => {
    const position = consumer.originalPositionFor({ line: 500, column: 4 });
    assert.deepEqual({ ...position }, { source: 'in.js', line: 1000, column: 8, name: 'name3' });
    assert.equal(consumer.generatedPositionFor({ source: 'in.js', line: 42, column: 8 }).line, 21);
    let mappings = 0;
    consumer.eachMapping(() => { mappings += 1; });
    assert.equal(mappings, 1000);
  });
  await assert.rejects(new SourceMapConsumer({ version: 4, sources: [], mappings: '' }));
  console.log('ok');
}

main();
