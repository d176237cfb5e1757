//! `tombolo.guestMemory.trace`: [`marshal::trace`] for scripts.

use std::sync::Arc;
use std::time::Duration;

use marshal::trace::{self, Amount, Frame, Handles, Line, MemoryLine, Peak, Sample, Snapshot, Stack};
use qjs::define::{self, Attributes};
use qjs::{Call, Ctx, Object, Result, Value};

/// Adds `trace` to the function `guestMemory`: an object with `start`, `stop`, `isOn`, `snapshot`, `text` and `html`.
///
/// # Errors
/// When memory is out.
pub fn define_trace<'js>(ctx: &Ctx<'js>, guest_memory: &Object<'js>) -> Result<()> {
    let object = Object::new(ctx.clone())?;
    define::method(&object, "start", 0, |call| {
        crate::manager::let_go_of_spares();
        trace::start();
        Ok(Value::new_undefined(call.ctx))
    })?;
    define::method(&object, "stop", 0, |call| {
        trace::stop();
        Ok(Value::new_undefined(call.ctx))
    })?;
    define::getter(&object, "isOn", |call| Ok(Value::new_bool(call.ctx, trace::is_on())))?;
    define::method(&object, "snapshot", 0, |call| Ok(Maker(&call.ctx).snapshot(&taken(&call)?)?.into_value()))?;
    define::method(&object, "text", 0, |call| text(&call, &taken(&call)?.to_text()))?;
    define::method(&object, "html", 0, |call| text(&call, &taken(&call)?.to_html()))?;
    define::to_string_tag(&object, "tombolo.guestMemory.trace")?;
    define::value(guest_memory, "trace", object.as_value(), Attributes::Plain)
}

/// A snapshot after a collection, so that it does not count what only garbage holds as held.
fn taken(call: &Call<'_, '_>) -> Result<Snapshot> {
    qjs::runtime::collect(&call.ctx);
    trace::snapshot().ok_or_else(|| {
        let message = "tombolo.guestMemory.trace: nothing was recorded: call start() first";
        qjs::function::throw_error(&call.ctx, message)
    })
}

fn text<'js>(call: &Call<'_, 'js>, text: &str) -> Result<Value<'js>> {
    qjs::string::from_utf8(&call.ctx, text.as_bytes())
}

/// Makes plain objects of a snapshot's contents. Times are in milliseconds.
struct Maker<'a, 'js>(&'a Ctx<'js>);

impl<'js> Maker<'_, 'js> {
    fn object(&self, fields: &[(&str, Value<'js>)]) -> Result<Object<'js>> {
        let object = Object::new(self.0.clone())?;
        for (name, value) in fields {
            define::value(&object, name, value, Attributes::Plain)?;
        }
        Ok(object)
    }

    fn number(&self, number: impl Into<f64>) -> Value<'js> {
        Value::new_number(self.0.clone(), number.into())
    }

    fn count(&self, count: u64) -> Value<'js> {
        self.number(count as f64)
    }

    fn time(&self, time: Duration) -> Value<'js> {
        self.number(time.as_secs_f64() * 1e3)
    }

    fn bool(&self, value: bool) -> Value<'js> {
        Value::new_bool(self.0.clone(), value)
    }

    fn text(&self, text: &str) -> Result<Value<'js>> {
        qjs::string::from_utf8(self.0, text.as_bytes())
    }

    fn list<T>(&self, items: &[T], make: impl Fn(&T) -> Result<Value<'js>>) -> Result<Value<'js>> {
        let array = rquickjs::Array::new(self.0.clone())?;
        for (at, item) in items.iter().enumerate() {
            define::value(array.as_object(), &at.to_string(), &make(item)?, Attributes::Plain)?;
        }
        Ok(array.into_value())
    }

    fn amount(&self, amount: Amount) -> Result<Value<'js>> {
        let Amount { blocks, bytes } = amount;
        Ok(self.object(&[("blocks", self.count(blocks)), ("bytes", self.count(bytes))])?.into_value())
    }

    fn frame(&self, frame: &Frame) -> Result<Value<'js>> {
        let object = self.object(&[
            ("file", self.text(&frame.file)?),
            ("line", self.number(frame.line)),
            ("column", self.number(frame.column)),
            ("function", self.text(&frame.function)?),
        ])?;
        Ok(object.into_value())
    }

    fn place(&self, place: Option<&Frame>) -> Result<Value<'js>> {
        place.map_or_else(|| Ok(Value::new_null(self.0.clone())), |frame| self.frame(frame))
    }

    fn agents(&self, agents: &[Arc<str>]) -> Result<Value<'js>> {
        self.list(agents, |agent| self.text(agent))
    }

    fn samples(&self, samples: &[Sample]) -> Result<Value<'js>> {
        self.list(samples, |sample| {
            let Sample { at, low, high, last, .. } = *sample;
            let at = self.time(Duration::from_micros(at));
            let fields = [("at", at), ("low", self.count(low)), ("high", self.count(high)), ("last", self.count(last))];
            Ok(self.object(&fields)?.into_value())
        })
    }

    fn peak(&self, peak: &Peak) -> Result<Value<'js>> {
        let shares = self.list(&peak.shares, |share| {
            let Amount { blocks, bytes } = share.amount;
            let place = self.place(share.place.as_ref())?;
            let fields = [("place", place), ("blocks", self.count(blocks)), ("bytes", self.count(bytes))];
            Ok(self.object(&fields)?.into_value())
        })?;
        let Amount { blocks, bytes } = peak.amount;
        let (blocks, bytes) = (self.count(blocks), self.count(bytes));
        let fields = [("blocks", blocks), ("bytes", bytes), ("at", self.time(peak.at)), ("lines", shares)];
        Ok(self.object(&fields)?.into_value())
    }

    fn line(&self, line: &Line) -> Result<Value<'js>> {
        let stacks = self.list(&line.stacks, |Stack { frames, held, .. }| {
            let frames = self.list(frames, |frame| self.frame(frame))?;
            Ok(self.object(&[("frames", frames), ("held", self.amount(*held)?)])?.into_value())
        })?;
        let oldest = line.oldest.map_or_else(|| Value::new_null(self.0.clone()), |at| self.time(at));
        let object = self.object(&[
            ("place", self.place(line.place.as_ref())?),
            ("agents", self.agents(&line.agents)?),
            ("held", self.amount(line.held)?),
            ("largest", self.count(line.largest)),
            ("oldest", oldest),
            ("waiting", self.amount(line.waiting)?),
            ("owned", self.amount(line.owned)?),
            ("gone", self.amount(line.gone)?),
            ("lent", self.amount(line.lent)?),
            ("unreturned", self.amount(line.unreturned)?),
            ("callers", stacks),
        ])?;
        Ok(object.into_value())
    }

    fn memory(&self, memory: &MemoryLine) -> Result<Value<'js>> {
        let object = self.object(&[
            ("number", self.number(memory.number)),
            ("isShared", self.bool(memory.is_shared)),
            ("isAlive", self.bool(memory.is_alive)),
            ("made", self.place(memory.made.as_ref())?),
            (
                "agent",
                memory.agent.as_ref().map_or_else(|| Ok(Value::new_null(self.0.clone())), |name| self.text(name))?,
            ),
            ("length", self.count(memory.length)),
            ("lengths", self.samples(&memory.lengths)?),
            ("owned", self.amount(memory.owned)?),
            ("peak", self.peak(&memory.peak)?),
            ("history", self.samples(&memory.history)?),
        ])?;
        Ok(object.into_value())
    }

    fn handles(&self, handles: &Handles) -> Result<Value<'js>> {
        let object = self.object(&[
            ("place", self.place(handles.place.as_ref())?),
            ("agents", self.agents(&handles.agents)?),
            ("destructor", self.text(&handles.destructor)?),
            ("open", self.count(handles.open)),
            ("waiting", self.count(handles.waiting)),
            ("oldest", self.time(handles.oldest)),
        ])?;
        Ok(object.into_value())
    }

    fn snapshot(&self, snapshot: &Snapshot) -> Result<Object<'js>> {
        self.object(&[
            ("isOn", self.bool(snapshot.is_on)),
            ("duration", self.time(snapshot.duration)),
            ("held", self.amount(snapshot.held)?),
            ("waiting", self.amount(snapshot.waiting)?),
            ("owned", self.amount(snapshot.owned)?),
            ("gone", self.amount(snapshot.gone)?),
            ("lent", self.amount(snapshot.lent)?),
            ("unreturned", self.amount(snapshot.unreturned)?),
            ("peak", self.peak(&snapshot.peak)?),
            ("history", self.samples(&snapshot.history)?),
            ("lines", self.list(&snapshot.lines, |line| self.line(line))?),
            ("memories", self.list(&snapshot.memories, |memory| self.memory(memory))?),
            ("handles", self.list(&snapshot.handles, |handles| self.handles(handles))?),
            ("agents", self.agents(&snapshot.agents)?),
        ])
    }
}
