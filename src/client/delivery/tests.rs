use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, ThreadId};

use super::*;
use crate::io::clock::Deadline;
use crate::sync::Mutex;

const SOON: Duration = Duration::from_secs(20);

struct Fixture {
    threads: Arc<Threads>,
    timer: Arc<Timer>,
    pool: Arc<Delivery>,
}

/// A pool with up to `base` elastic workers that nobody asked for, and two fixed ones.
fn fixture(base: usize) -> Fixture {
    let threads = Threads::new(None);
    let timer = Timer::start(&threads).unwrap();
    let mut pool = Arc::into_inner(Delivery::new(&threads, &timer, 2)).unwrap();
    pool.elastic = Elastic::new(base);
    Fixture { threads, timer, pool: Arc::new(pool) }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.pool.close();
        self.timer.close();
        assert!(self.threads.wait_for_all(Deadline::in_ms(10_000)));
    }
}

type Work = Box<dyn Fn(&Worker) -> bool + Send + Sync>;

/// A task without a subscription: does `work`, which says whether there is more, and tells of each message.
struct Fake {
    place: Mutex<Place>,
    work: Work,
    told: Sender<(u8, ThreadId)>,
    refused: AtomicU32,
}

impl Task for Fake {
    fn run(self: Arc<Self>, worker: &Worker, _batch: &mut VecDeque<Msg>) -> Option<Arc<dyn Task>> {
        if (self.work)(worker) { Some(self) } else { None }
    }

    fn run_one(self: Arc<Self>, msg: Msg, worker: &Worker) {
        let told = worker.turn(|| self.told.send((msg.data()[0], thread::current().id())));
        told.unwrap();
    }

    fn refuse(&self, _msg: Msg) -> bool {
        self.refused.fetch_add(1, Ordering::Relaxed) == 0
    }

    fn visit(&self, host: &Home) {
        self.place.lock().visit(host);
    }
}

fn fake(home: Home, work: impl Fn(&Worker) -> bool + Send + Sync + 'static) -> Arc<Fake> {
    fake_that_tells(home, channel().0, Box::new(work))
}

fn fake_that_tells(home: Home, told: Sender<(u8, ThreadId)>, work: Work) -> Arc<Fake> {
    Arc::new(Fake { place: Mutex::new(Place::at(home)), work, told, refused: AtomicU32::new(0) })
}

impl Fake {
    fn start(self: &Arc<Self>, pool: &Arc<Delivery>) {
        self.place.lock().with(|home| pool.run(home, self.clone()));
    }
}

/// Work that tells which thread does it.
fn telling() -> (impl Fn(&Worker) -> bool + Send + Sync + 'static, Receiver<ThreadId>) {
    let (tell, told) = channel();
    let work = move |worker: &Worker| {
        worker.turn(|| tell.send(thread::current().id()).unwrap());
        false
    };
    (work, told)
}

/// Work that tells which thread does it, then blocks in a callback until it is told to go on.
fn blocking() -> (impl Fn(&Worker) -> bool + Send + Sync + 'static, Receiver<ThreadId>, Sender<()>) {
    let (begin, begun) = channel();
    let (go, wait) = channel();
    let wait = Mutex::new(wait);
    let work = move |worker: &Worker| {
        worker.turn(|| {
            begin.send(thread::current().id()).unwrap();
            wait.lock().recv().unwrap();
        });
        false
    };
    (work, begun, go)
}

fn ends_within(worker: &Arc<Worker>, ms: i64) -> bool {
    let deadline = Deadline::in_ms(ms);
    while worker.try_enter().is_some() {
        if deadline.has_passed() {
            return false;
        }
        thread::sleep(worker::IDLE * 3); // each look makes it wait anew
    }
    true
}

#[test]
fn workers_of_the_fixed_pool_never_end() {
    let f = fixture(2);
    let home = f.pool.home(Mode::FixedPool).unwrap();
    let worker = Arc::clone(home.worker());
    drop(home);
    assert!(!ends_within(&worker, 300));
}

#[test]
fn elastic_workers_end_when_they_are_nobodys_home_for_a_while() {
    let f = fixture(2);
    let homes: Vec<_> = (0..6).map(|_| f.pool.home(Mode::Elastic).unwrap()).collect();
    assert_eq!(f.pool.elastic.all().len(), 2);
    let worker = Arc::clone(homes[0].worker());
    assert!(!ends_within(&worker, 300));
    drop(homes);
    assert!(ends_within(&worker, 10_000));
    assert!(!Arc::ptr_eq(f.pool.home(Mode::Elastic).unwrap().worker(), &worker));
}

#[test]
fn a_worker_of_one_task_ends_with_it() {
    let f = fixture(2);
    let homes: Vec<_> = (0..3).map(|_| f.pool.home(Mode::Dedicated).unwrap()).collect();
    assert!(!homes[0].is_same(&homes[1]) && !homes[1].is_same(&homes[2]));
    let worker = Arc::clone(homes[0].worker());
    drop(homes);
    assert!(ends_within(&worker, 10_000));
}

#[test]
fn what_waits_behind_a_blocked_callback_is_the_guest_of_another_worker() {
    let f = fixture(1);
    let ((block, begun, go), (tell, told)) = (blocking(), telling());
    let blocked = fake(f.pool.home(Mode::Elastic).unwrap(), block);
    let other = fake(f.pool.home(Mode::Elastic).unwrap(), tell);
    blocked.start(&f.pool);
    let held_up = begun.recv_timeout(SOON).unwrap();
    other.start(&f.pool);
    assert_ne!(told.recv_timeout(SOON).unwrap(), held_up);
    other.start(&f.pool);
    assert_ne!(told.recv_timeout(SOON).unwrap(), held_up);
    go.send(()).unwrap();
}

#[test]
fn nobody_but_its_task_uses_a_dedicated_worker_nor_relieves_it() {
    let f = fixture(1);
    let ((block, begun, go), (tell, told)) = (blocking(), telling());
    let dedicated = fake(f.pool.home(Mode::Dedicated).unwrap(), block);
    let other = fake(f.pool.home(Mode::Elastic).unwrap(), tell);
    dedicated.start(&f.pool);
    let own = begun.recv_timeout(SOON).unwrap();
    dedicated.start(&f.pool); // waits behind itself
    other.start(&f.pool);
    assert_ne!(told.recv_timeout(SOON).unwrap(), own);
    assert!(begun.recv_timeout(Duration::from_millis(20)).is_err());
    go.send(()).unwrap();
    assert_eq!(begun.recv_timeout(SOON), Ok(own));
    go.send(()).unwrap();
}

#[test]
fn a_task_with_more_to_do_is_queued_behind_the_others() {
    let f = fixture(1);
    let home = f.pool.home(Mode::FixedPool).unwrap(); // one that is never relieved
    let (begin, begun) = channel();
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let rounds = AtomicU32::new(0);
    let tell = begin.clone();
    let first = fake(home.clone(), move |worker| {
        tell.send(1).unwrap();
        wait.lock().recv().unwrap();
        assert!(worker.others_wait() || rounds.load(Ordering::Relaxed) > 0);
        rounds.fetch_add(1, Ordering::Relaxed) == 0
    });
    let second = fake(home, move |_| begin.send(2).is_err());
    first.start(&f.pool);
    assert_eq!(begun.recv_timeout(SOON), Ok(1));
    second.start(&f.pool);
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!(begun.recv_timeout(SOON), Ok(2));
    assert_eq!(begun.recv_timeout(SOON), Ok(1));
}

#[test]
fn a_task_that_panics_holds_up_no_other() {
    let f = fixture(1);
    let home = f.pool.home(Mode::Elastic).unwrap();
    let (tell, told) = telling();
    fake(home.clone(), |worker| worker.turn(|| std::panic::resume_unwind(Box::new(())))).start(&f.pool);
    fake(home, tell).start(&f.pool);
    told.recv_timeout(SOON).unwrap();
}

fn message(byte: u8) -> Msg {
    Msg::new(b"foo", None, &[byte]).unwrap()
}

#[test]
fn single_messages_run_in_the_order_they_were_given_whichever_tasks_they_are_for() {
    let f = fixture(1);
    let home = f.pool.home(Mode::FixedPool).unwrap();
    let (tell, told) = channel();
    let tasks = [(); 3].map(|()| fake_that_tells(home.clone(), tell.clone(), Box::new(|_| false)));
    let mut handover = f.pool.handover();
    for n in 0..100 {
        handover.add(&home, Job::One(Arc::clone(&tasks[usize::from(n) * 7 % 3]), message(n)));
    }
    handover.finish(|_| panic!("there is memory"));
    let ran: Vec<_> = (0..100).map(|_| told.recv_timeout(SOON).unwrap()).collect();
    assert!(ran.iter().map(|(n, _)| *n).eq(0..100));
    assert!(ran.iter().all(|(_, thread)| *thread == ran[0].1));
}

#[test]
fn a_handover_for_many_workers_is_finished_in_parts() {
    let f = fixture(1);
    let homes: Vec<_> = (0..20).map(|_| f.pool.home(Mode::Dedicated).unwrap()).collect();
    let (tell, told) = channel();
    let tasks: Vec<_> =
        homes.iter().map(|home| fake_that_tells(home.clone(), tell.clone(), Box::new(|_| false))).collect();
    let mut handover = f.pool.handover();
    let mut given = 0;
    for (n, (home, task)) in homes.iter().zip(&tasks).enumerate() {
        handover.add(home, Job::One(Arc::clone(task), message(n as u8)));
        handover.finish_if_full(|_| panic!("there is memory"));
        given += 1;
        if given == 8 {
            assert!((0..8).all(|_| told.recv_timeout(SOON).is_ok()));
            given = 0;
        }
    }
    assert!(told.try_recv().is_err());
    handover.finish(|_| panic!("there is memory"));
    assert!((0..given).all(|_| told.recv_timeout(SOON).is_ok()));
}
