//! The loop of an agent without a platform.

use std::{cell::RefCell, rc::Rc, sync::mpsc, time::Duration};

use rquickjs::{Ctx, Function, Object, Persistent, Value};
use tombolo_agent::port::{Port, PortHandle};
use tombolo_agent::{Agent, AgentOptions, EventLoop, Origin};

/// JavaScript may use less stack than a test's thread has.
fn agent() -> Agent {
    Agent::new(AgentOptions { max_stack_size: 1 << 20, ..AgentOptions::default() }).unwrap()
}

/// A global `log` array, and its content as text.
fn with_log(agent: &Agent) {
    agent.with(|ctx| ctx.eval::<(), _>("globalThis.log = []")).unwrap();
}

fn log(agent: &Agent) -> String {
    agent.with(|ctx| ctx.eval("log.join()")).unwrap()
}

fn push(text: &'static str) -> impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()> {
    move |ctx| {
        ctx.eval(format!("log.push('{text}'); Promise.resolve().then(() => log.push('{text}+'))").as_str())
            .map(|_: Value| ())
    }
}

#[test]
fn equal_deadlines_keep_their_order_and_microtasks_follow_each_task() {
    let agent = agent();
    with_log(&agent);
    let event_loop = agent.event_loop();
    event_loop.set_timer(Duration::from_millis(6), true, Box::new(push("late")));
    let dead = event_loop.set_timer(Duration::ZERO, true, Box::new(push("dead")));
    event_loop.set_timer(Duration::ZERO, true, Box::new(push("a")));
    event_loop.set_timer(Duration::ZERO, true, Box::new(push("b")));
    event_loop.set_timer(Duration::from_secs(1000), false, Box::new(push("unref")));
    event_loop.clear_timer(dead);
    assert_eq!(agent.run().exit_code, 0);
    assert_eq!(log(&agent), "a,a+,b,b+,late,late+");
}

#[test]
fn other_threads_post_tasks_and_hold_the_loop() {
    let agent = agent();
    with_log(&agent);
    let mailbox = agent.mailbox();
    let guard = mailbox.keep_alive();
    let thread = std::thread::spawn(move || {
        assert!(mailbox.post(push("one")));
        assert!(mailbox.post(push("two")));
        drop(guard);
        mailbox
    });
    let outcome = agent.run();
    let mailbox = thread.join().unwrap();
    assert_eq!((outcome.exit_code, log(&agent).as_str()), (0, "one,one+,two,two+"));
    assert!(!mailbox.post(push("too late")), "an agent that has ended takes no task");
}

#[test]
fn a_running_script_can_be_terminated() {
    let agent = agent();
    let mailbox = agent.mailbox();
    let (started, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        wait.recv().unwrap();
        mailbox.terminate(9);
    });
    agent.run_task(move |ctx| {
        started.send(()).unwrap();
        ctx.eval("try { for (;;); } catch {} finally { globalThis.escaped = true }")
    });
    let outcome = agent.run();
    thread.join().unwrap();
    assert_eq!((outcome.exit_code, outcome.uncaught), (9, None));
    assert!(!agent.with(|ctx| ctx.globals().contains_key("escaped")).unwrap());
}

#[test]
fn exit_cannot_be_caught() {
    let agent = agent();
    agent.run_task(|ctx| {
        let exit = Function::new(ctx.clone(), |ctx: Ctx<'_>| -> rquickjs::Result<()> {
            Err(EventLoop::of(&ctx)?.exit(&ctx, 5))
        })?;
        ctx.globals().set("exit", exit)?;
        ctx.eval("try { exit() } catch {} finally { globalThis.escaped = true }")
    });
    assert_eq!(agent.run().exit_code, 5);
    assert!(!agent.with(|ctx| ctx.globals().contains_key("escaped")).unwrap());
}

#[test]
fn uncaught_errors_end_the_agent_and_keep_their_value() {
    let agent = agent();
    with_log(&agent);
    agent.event_loop().set_immediate(Box::new(push("never")));
    agent.run_task(|ctx| ctx.eval("Promise.reject({ answer: 42, toString: () => 'lost' })").map(|_: Value| ()));
    let outcome = agent.run();
    let uncaught = outcome.uncaught.unwrap();
    assert_eq!(
        (outcome.exit_code, uncaught.origin, uncaught.message.as_str()),
        (1, Origin::UnhandledRejection, "lost")
    );
    let answer: i32 = agent.with(|ctx| Object::from_value(agent.uncaught(ctx).unwrap())?.get("answer")).unwrap();
    assert_eq!((answer, log(&agent).as_str()), (42, ""));
}

#[test]
fn safe_points_come_after_every_task_and_at_exit() {
    let agent = agent();
    with_log(&agent);
    agent.on_safe_point(Box::new(|ctx| ctx.eval::<(), _>("log.push('safe')").unwrap()));
    agent.run_task(push("task"));
    agent.event_loop().set_immediate(Box::new(push("immediate")));
    assert_eq!(agent.run().exit_code, 0);
    let log = log(&agent);
    assert!(log.starts_with("task,task+,safe,") && log.contains("immediate,immediate+,safe"), "{log}");
    assert!(log.ends_with("safe"), "{log}");
}

#[test]
fn ticks_run_before_promise_jobs() {
    let agent = agent();
    with_log(&agent);
    let order = Rc::new(RefCell::new(Vec::new()));
    let seen = order.clone();
    agent.run_task(move |ctx| {
        ctx.eval::<(), _>("Promise.resolve().then(() => log.push('job'))")?;
        EventLoop::of(ctx)?.next_tick(Box::new(move |ctx| {
            seen.borrow_mut().push(ctx.eval::<usize, _>("log.length")?);
            Ok(())
        }));
        Ok(())
    });
    assert_eq!((order.borrow().as_slice(), log(&agent).as_str()), (&[0][..], "job"));
}

#[test]
fn what_a_safe_point_leaves_behind_still_runs() {
    let agent = agent();
    with_log(&agent);
    let done = std::cell::Cell::new(false);
    agent.on_safe_point(Box::new(move |ctx| {
        if !done.replace(true) {
            push("job")(ctx).unwrap();
            EventLoop::of(ctx).unwrap().next_tick(Box::new(push("tick")));
        }
    }));
    agent.run_task(push("task"));
    assert_eq!(agent.run().exit_code, 0);
    assert_eq!(log(&agent), "task,task+,job,tick,job+,tick+");
}

#[test]
fn an_agent_that_was_cut_off_gets_no_ports_any_more() {
    let agent = agent();
    let (before, after) = (Port::channel(), Port::channel());
    let receive =
        |port| agent.with(|ctx| PortHandle::new_object(ctx, port).map(|object| Persistent::save(ctx, object))).unwrap();
    let kept = receive(before.0);
    assert!(!before.1.is_closed());
    agent.mailbox().terminate(1);
    assert!(agent.mailbox().cut_off());
    assert!(before.1.is_closed());
    // One that was on its way into the agent.
    let late = receive(after.0);
    assert!(after.1.is_closed());
    drop((kept, late));
}
