-- What each column means, for whoever looks with \d+ or reads the reference: columns whose comment stands in an earlier file
-- keep it. Nothing but comments is in here.

COMMENT ON COLUMN mlinfn.migration.number IS 'From 1, without a gap.';
COMMENT ON COLUMN mlinfn.migration.name IS 'Name of the file.';
COMMENT ON COLUMN mlinfn.migration.sha256 IS 'Of the file''s text, in hexadecimal: one that was edited afterwards is refused.';
COMMENT ON COLUMN mlinfn.migration.applied_at IS 'When it was applied here.';

-- What ran.

COMMENT ON COLUMN mlinfn.history_cursor.access_point IS 'Whose file it is: an access point; hub and provisioner for their journals.';
COMMENT ON COLUMN mlinfn.history_cursor.kind IS
'epoch: execution attempts; history: jobs that left the queue; starts: the hub''s journal; events: the provisioner''s.';
COMMENT ON COLUMN mlinfn.history_cursor.read_bytes IS 'Bytes from the file''s beginning whose records are stored.';
COMMENT ON COLUMN mlinfn.history_cursor.records IS 'Records that were read in it.';
COMMENT ON COLUMN mlinfn.history_cursor.refused IS 'How many of them were not understood: refused_record has them.';
COMMENT ON COLUMN mlinfn.history_cursor.read_at IS 'When something new was last read in it.';

COMMENT ON COLUMN mlinfn.refused_record.access_point IS 'Whose file, as in history_cursor.';
COMMENT ON COLUMN mlinfn.refused_record.kind IS 'What is in that file, as in history_cursor.';
COMMENT ON COLUMN mlinfn.refused_record.file IS 'Fingerprint of the file''s first record, as in history_cursor.';
COMMENT ON COLUMN mlinfn.refused_record.at_byte IS 'Where it begins, in bytes from the file''s beginning.';
COMMENT ON COLUMN mlinfn.refused_record.reason IS 'What could not be understood.';
COMMENT ON COLUMN mlinfn.refused_record.record IS 'Its text.';

COMMENT ON COLUMN mlinfn.attempt.ended_at IS 'When its record was written (EpochWriteDate); of a vanished one, when it was last seen.';
COMMENT ON COLUMN mlinfn.attempt.started_at IS 'When it started on its slot (JobCurrentStartDate).';
COMMENT ON COLUMN mlinfn.attempt.submitted_at IS 'When its job was submitted (QDate).';
COMMENT ON COLUMN mlinfn.attempt.cluster IS 'ClusterId; with proc the job''s number at its access point.';
COMMENT ON COLUMN mlinfn.attempt.proc IS 'ProcId.';
COMMENT ON COLUMN mlinfn.attempt.exit_code IS 'Of its program. Null: a signal ended it, or nobody knows.';
COMMENT ON COLUMN mlinfn.attempt.memory_mb IS 'Memory that the slot had, MiB.';
COMMENT ON COLUMN mlinfn.attempt.memory_asked_mb IS 'Memory that the user asked for (RequestMemory), MiB.';
COMMENT ON COLUMN mlinfn.attempt.device_memory_peak_mb IS 'Most memory in use on its devices, MiB. Null: not measured.';
COMMENT ON COLUMN mlinfn.attempt.access_point IS 'The schedd that its job was in.';
COMMENT ON COLUMN mlinfn.attempt.username IS 'Whose job: the account, without domain (Owner).';
COMMENT ON COLUMN mlinfn.attempt.project IS 'Project that it is charged to; empty: the record names none.';
COMMENT ON COLUMN mlinfn.attempt.class IS 'Its priority class: interactive, dask or batch.';
COMMENT ON COLUMN mlinfn.attempt.node IS 'Where it ran; in another pool NODE@COLLECTOR.';
COMMENT ON COLUMN mlinfn.attempt.slot IS 'Slot on that node, as slot1_2.';
COMMENT ON COLUMN mlinfn.attempt.task IS 'What it is to its user: JupyterLab, the batch''s name (JobBatchName), or its program.';
COMMENT ON COLUMN mlinfn.attempt.reason IS 'Why it left the slot, in HTCondor''s words (VacateReason). Null: none was given.';

COMMENT ON COLUMN mlinfn.job.left_at IS 'When it was completed or removed.';
COMMENT ON COLUMN mlinfn.job.submitted_at IS 'When it was submitted (QDate).';
COMMENT ON COLUMN mlinfn.job.cluster IS 'ClusterId; with proc its number at its access point.';
COMMENT ON COLUMN mlinfn.job.proc IS 'ProcId.';
COMMENT ON COLUMN mlinfn.job.starts IS 'How often it was started (NumShadowStarts).';
COMMENT ON COLUMN mlinfn.job.exit_code IS 'Of its program. Null: a signal ended it, or nobody knows.';
COMMENT ON COLUMN mlinfn.job.status IS 'completed: by itself; removed: by its owner, an administrator or the policy.';
COMMENT ON COLUMN mlinfn.job.access_point IS 'The schedd that it was in.';
COMMENT ON COLUMN mlinfn.job.username IS 'Whose job: the account, without domain (Owner).';
COMMENT ON COLUMN mlinfn.job.project IS 'Project that it is charged to; empty: the record names none.';
COMMENT ON COLUMN mlinfn.job.class IS 'Its priority class: interactive, dask or batch.';
COMMENT ON COLUMN mlinfn.job.reason IS 'Why it was removed (RemoveReason). Null: it was not.';

COMMENT ON COLUMN mlinfn.running.access_point IS 'The schedd that its job is in.';
COMMENT ON COLUMN mlinfn.running.cluster IS 'ClusterId; with proc the job''s number at its access point.';
COMMENT ON COLUMN mlinfn.running.proc IS 'ProcId.';
COMMENT ON COLUMN mlinfn.running.submitted_at IS 'When its job was submitted.';
COMMENT ON COLUMN mlinfn.running.started_at IS 'When it started, by its slot.';
COMMENT ON COLUMN mlinfn.running.seen_at IS 'Last look that saw it.';
COMMENT ON COLUMN mlinfn.running.cpus IS 'Cores that the slot has.';
COMMENT ON COLUMN mlinfn.running.memory_mb IS 'Memory that the slot has, MiB.';
COMMENT ON COLUMN mlinfn.running.devices_busy IS 'Average number of its devices that were computing, so far. Null: not measured.';
COMMENT ON COLUMN mlinfn.running.watts IS 'Average power of all its devices, so far. Null: not measured.';
COMMENT ON COLUMN mlinfn.running.username IS 'Whose job: the account, without domain.';
COMMENT ON COLUMN mlinfn.running.project IS 'Project that it is charged to; empty: the slot names none.';
COMMENT ON COLUMN mlinfn.running.class IS 'Its priority class; empty: the slot names none.';
COMMENT ON COLUMN mlinfn.running.node IS 'Where it runs.';
COMMENT ON COLUMN mlinfn.running.slot IS 'Slot on that node, as slot1_2.';
COMMENT ON COLUMN mlinfn.running.devices IS 'Ids of its devices on its node; empty: none.';

COMMENT ON COLUMN mlinfn.attempt_known.access_point IS 'The schedd that its job was in.';
COMMENT ON COLUMN mlinfn.attempt_known.cluster IS 'ClusterId; with proc the job''s number at its access point.';
COMMENT ON COLUMN mlinfn.attempt_known.proc IS 'ProcId.';
COMMENT ON COLUMN mlinfn.attempt_known.run IS 'As in attempt; 0 while it runs, and where it vanished.';
COMMENT ON COLUMN mlinfn.attempt_known.submitted_at IS 'When its job was submitted.';
COMMENT ON COLUMN mlinfn.attempt_known.started_at IS 'When it started on its slot.';
COMMENT ON COLUMN mlinfn.attempt_known.ended_at IS 'When it ended; of one that runs, the last look that saw it.';
COMMENT ON COLUMN mlinfn.attempt_known.username IS 'Whose job: the account, without domain.';
COMMENT ON COLUMN mlinfn.attempt_known.project IS 'Project that it is charged to; empty: none was named.';
COMMENT ON COLUMN mlinfn.attempt_known.class IS 'Its priority class.';
COMMENT ON COLUMN mlinfn.attempt_known.node IS 'Where it ran or runs.';
COMMENT ON COLUMN mlinfn.attempt_known.slot IS 'Slot on that node.';
COMMENT ON COLUMN mlinfn.attempt_known.task IS 'What it is to its user, as in attempt; empty while it runs.';
COMMENT ON COLUMN mlinfn.attempt_known.devices IS 'Ids of its devices on its node; empty: none.';
COMMENT ON COLUMN mlinfn.attempt_known.cpus IS 'Cores that the slot had.';
COMMENT ON COLUMN mlinfn.attempt_known.memory_mb IS 'Memory that the slot had, MiB.';
COMMENT ON COLUMN mlinfn.attempt_known.devices_busy IS 'Average number of its devices that were computing. Null: not measured.';
COMMENT ON COLUMN mlinfn.attempt_known.watts IS 'Average power of all its devices. Null: not measured.';
COMMENT ON COLUMN mlinfn.attempt_known.lost_s IS 'Seconds of work that nobody has; 0 while it runs.';
COMMENT ON COLUMN mlinfn.attempt_known.outcome IS 'As in attempt, or running.';

-- What was granted.

COMMENT ON COLUMN mlinfn.device.node IS 'Node that it is in, or machine of an inventory.';
COMMENT ON COLUMN mlinfn.device.device IS 'Its id on that node.';
COMMENT ON COLUMN mlinfn.device.kind IS 'gpu or fpga.';
COMMENT ON COLUMN mlinfn.device.model IS 'As jobs ask for it; as last told.';
COMMENT ON COLUMN mlinfn.device.simulated IS 'True: there is no such card, a device is played.';

COMMENT ON COLUMN mlinfn.device_period.node IS 'Node that it is in, or machine of an inventory.';
COMMENT ON COLUMN mlinfn.device_period.device IS 'Its id on that node.';
COMMENT ON COLUMN mlinfn.device_period.during IS 'From, until; without an end: until further notice. The pool''s ends at the last look that saw it.';

COMMENT ON COLUMN mlinfn.machine_grant.source IS 'pool: seen in its slot ads; otherwise the imported inventory.';
COMMENT ON COLUMN mlinfn.machine_grant.name IS 'Of the node, VM or server, as its source calls it.';
COMMENT ON COLUMN mlinfn.machine_grant.during IS 'From, until; without an end: until further notice.';
COMMENT ON COLUMN mlinfn.machine_grant.given_to IS 'A project that has it for itself; empty: the pool''s.';
COMMENT ON COLUMN mlinfn.machine_grant.cpus IS 'Its cores. Null: not told.';
COMMENT ON COLUMN mlinfn.machine_grant.memory_mb IS 'Its memory, MiB. Null: not told.';

COMMENT ON COLUMN mlinfn.event.at IS 'When it happened, by the clock of whoever noted it.';
COMMENT ON COLUMN mlinfn.event.detail IS 'Why, in words; empty: nothing more to say.';

-- What was measured, and what people waited for.

COMMENT ON COLUMN mlinfn.device_counter.node IS 'Node that the device is in.';
COMMENT ON COLUMN mlinfn.device_counter.device IS 'Its id on that node.';
COMMENT ON COLUMN mlinfn.device_counter.counter_start IS
'Since when the node''s monitor counts, seconds of the epoch; with another start they are other counters.';
COMMENT ON COLUMN mlinfn.device_counter.at IS 'When it was read.';
COMMENT ON COLUMN mlinfn.device_counter.busy_s IS 'Seconds of computing since counter_start.';
COMMENT ON COLUMN mlinfn.device_counter.measured_s IS 'Seconds since then for which its utilisation is known.';
COMMENT ON COLUMN mlinfn.device_counter.joules IS 'Energy since then.';
COMMENT ON COLUMN mlinfn.device_counter.energy_s IS 'Seconds since then for which its energy is known.';

COMMENT ON COLUMN mlinfn.device_sample.at IS 'End of the time that it is of.';
COMMENT ON COLUMN mlinfn.device_sample.seconds IS 'Length of that time: back to the reading before, or to the counters'' start.';
COMMENT ON COLUMN mlinfn.device_sample.joules IS 'Energy within energy_s. Null: not measured.';
COMMENT ON COLUMN mlinfn.device_sample.energy_s IS 'Seconds for which its energy is known.';
COMMENT ON COLUMN mlinfn.device_sample.watts IS 'Power at the moment of the reading. Null: unknown.';
COMMENT ON COLUMN mlinfn.device_sample.memory_mb IS 'Device memory in use at that moment, MiB. Null: unknown.';
COMMENT ON COLUMN mlinfn.device_sample.temperature_c IS 'Temperature at that moment, degrees Celsius. Null: unknown.';
COMMENT ON COLUMN mlinfn.device_sample.clock_mhz IS 'Clock of its processors at that moment, MHz. Null: unknown.';
COMMENT ON COLUMN mlinfn.device_sample.processes IS 'Processes that used it at that moment. Null: unknown.';
COMMENT ON COLUMN mlinfn.device_sample.device IS 'Its id on its node.';
COMMENT ON COLUMN mlinfn.device_sample.node IS 'Node that it is in.';

COMMENT ON COLUMN mlinfn.submitter_sample.at IS 'When the negotiator was asked.';
COMMENT ON COLUMN mlinfn.submitter_sample.submitter IS 'Submitter or accounting group, as the negotiator names it.';
COMMENT ON COLUMN mlinfn.submitter_sample.effective_priority IS 'The smaller, the sooner it is served: its decayed use times priority_factor.';
COMMENT ON COLUMN mlinfn.submitter_sample.priority_factor IS 'What its use is multiplied by.';
COMMENT ON COLUMN mlinfn.submitter_sample.weighted_use_s IS 'Seconds times slot weight since accounting began, not decayed.';
COMMENT ON COLUMN mlinfn.submitter_sample.devices_weighted IS 'Slot weights in use at that moment: a device counts as condor_config.d says, otherwise a core 1.';

COMMENT ON COLUMN mlinfn.spawn.clicked_at IS 'When Start was clicked.';
COMMENT ON COLUMN mlinfn.spawn.username IS 'Who clicked.';
COMMENT ON COLUMN mlinfn.spawn.server IS 'Name of the server at the hub; empty: the unnamed one.';
COMMENT ON COLUMN mlinfn.spawn.project IS 'Project that was chosen; empty: none was.';
COMMENT ON COLUMN mlinfn.spawn.job IS 'The session''s job, as `mlinfn why` takes it; empty: none came of it.';
COMMENT ON COLUMN mlinfn.spawn.started_at IS 'When its job started. Null: not told; the hub''s journal does not.';
COMMENT ON COLUMN mlinfn.spawn.ready_at IS 'When the session answered. Null: it never did.';
COMMENT ON COLUMN mlinfn.spawn.outcome IS 'ready; failed; stopped: by the user, before it was there.';
COMMENT ON COLUMN mlinfn.spawn.reason IS 'Why it failed, in words; empty otherwise.';

-- The sums.

COMMENT ON COLUMN mlinfn.day_state.day IS 'The day (UTC).';
COMMENT ON COLUMN mlinfn.day_state.changed_at IS 'When a row of this day last came or changed.';
COMMENT ON COLUMN mlinfn.day_state.rolled_at IS 'When it was last added up. Null: never.';

COMMENT ON COLUMN mlinfn.day_use.day IS 'The day (UTC).';
COMMENT ON COLUMN mlinfn.day_use.node IS 'Node that was used.';
COMMENT ON COLUMN mlinfn.day_use.device IS 'Its id on that node; empty: attempts without a device.';
COMMENT ON COLUMN mlinfn.day_use.owner_project IS 'Project that had paid for it then; empty: the platform''s own.';
COMMENT ON COLUMN mlinfn.day_use.given_to IS 'Project that an inventory gave it to, although the pool used it; empty: the pool''s.';
COMMENT ON COLUMN mlinfn.day_use.username IS 'Who used it.';
COMMENT ON COLUMN mlinfn.day_use.project IS 'Project that was charged.';
COMMENT ON COLUMN mlinfn.day_use.class IS 'Priority class of the attempts.';
COMMENT ON COLUMN mlinfn.day_use.displaced IS 'Of the attempts, those that somebody took the slot from.';
COMMENT ON COLUMN mlinfn.day_use.failed IS 'Of the attempts, those that failed or vanished.';
COMMENT ON COLUMN mlinfn.day_use.claimed_s IS 'Seconds in which it was held; each second of a device counts once.';
COMMENT ON COLUMN mlinfn.day_use.lost_s IS 'Seconds of claimed_s whose work nobody has.';
COMMENT ON COLUMN mlinfn.day_use.busy_s IS 'Seconds of computing within measured_s.';
COMMENT ON COLUMN mlinfn.day_use.measured_s IS 'Seconds of claimed_s, but lost ones, for which its utilisation is known.';
COMMENT ON COLUMN mlinfn.day_use.joules IS 'Energy within energy_s, by the attempts'' average power.';
COMMENT ON COLUMN mlinfn.day_use.energy_s IS 'Seconds of claimed_s for which its energy is known.';
COMMENT ON COLUMN mlinfn.day_use.handover_s IS 'Seconds that attempts waited for whom they displaced; not in claimed_s.';
COMMENT ON COLUMN mlinfn.day_use.cpu_s IS 'Core seconds that came with it: cores of the slot times its seconds.';

COMMENT ON COLUMN mlinfn.day_task.day IS 'The day (UTC).';
COMMENT ON COLUMN mlinfn.day_task.task IS 'What it is to its user, as in attempt.';
COMMENT ON COLUMN mlinfn.day_task.username IS 'Who ran it.';
COMMENT ON COLUMN mlinfn.day_task.project IS 'Project that was charged.';
COMMENT ON COLUMN mlinfn.day_task.class IS 'Priority class of the attempts.';
COMMENT ON COLUMN mlinfn.day_task.attempts IS 'Attempts that ended in this day.';
COMMENT ON COLUMN mlinfn.day_task.claimed_s IS 'Device seconds that they held.';

COMMENT ON COLUMN mlinfn.hour_demand.hour IS 'Begin of the hour.';
COMMENT ON COLUMN mlinfn.hour_demand.class IS 'Priority class.';
COMMENT ON COLUMN mlinfn.hour_demand.model IS 'Device model; empty: without a device.';
COMMENT ON COLUMN mlinfn.hour_demand.users IS 'Most people at one moment; one with several attempts counts once.';
COMMENT ON COLUMN mlinfn.hour_demand.attempts IS 'Most attempts at one moment.';
COMMENT ON COLUMN mlinfn.hour_demand.devices IS 'Most devices that they held at one moment.';

COMMENT ON COLUMN mlinfn.day_size.day IS 'The day (UTC) in which the attempts ended.';
COMMENT ON COLUMN mlinfn.day_size.model IS 'Model of their device.';
COMMENT ON COLUMN mlinfn.day_size.class IS 'Their priority class.';
COMMENT ON COLUMN mlinfn.day_size.quantity IS 'What value is of, by the column of attempt: cores used or asked for, memory used at most or asked for.';
COMMENT ON COLUMN mlinfn.day_size.value IS 'Cores or MiB.';
COMMENT ON COLUMN mlinfn.day_size.tasks IS 'How many attempts had this value.';

COMMENT ON COLUMN mlinfn.day_wait.day IS 'The day (UTC) of the first start.';
COMMENT ON COLUMN mlinfn.day_wait.project IS 'Project of the job.';
COMMENT ON COLUMN mlinfn.day_wait.class IS 'Its priority class.';
COMMENT ON COLUMN mlinfn.day_wait.model IS 'Model of the device that it got; empty: none.';
COMMENT ON COLUMN mlinfn.day_wait.own IS 'True: its project owned that device.';
COMMENT ON COLUMN mlinfn.day_wait.starts IS 'Jobs that started for the first time.';
COMMENT ON COLUMN mlinfn.day_wait.wait_s IS 'Seconds that they had waited, all together.';
COMMENT ON COLUMN mlinfn.day_wait.worst_s IS 'Seconds that the one of them had waited which waited longest.';

COMMENT ON COLUMN mlinfn.device_hour.hour IS 'Begin of the hour.';
COMMENT ON COLUMN mlinfn.device_hour.node IS 'Node that the device is in.';
COMMENT ON COLUMN mlinfn.device_hour.device IS 'Its id on that node.';
COMMENT ON COLUMN mlinfn.device_hour.measured_s IS 'Seconds for which its utilisation is known.';
COMMENT ON COLUMN mlinfn.device_hour.busy_s IS 'Seconds of computing within measured_s.';
COMMENT ON COLUMN mlinfn.device_hour.energy_s IS 'Seconds for which its energy is known.';
COMMENT ON COLUMN mlinfn.device_hour.joules IS 'Energy within energy_s.';
COMMENT ON COLUMN mlinfn.device_hour.peak_watts IS 'Highest power that a reading saw. Null: none did.';
COMMENT ON COLUMN mlinfn.device_hour.peak_memory_mb IS 'Most device memory that a reading saw in use, MiB. Null: none did.';
COMMENT ON COLUMN mlinfn.device_hour.energy_source IS 'As in device_sample; of several s, else i.';

COMMENT ON COLUMN mlinfn.month_state.month IS 'First day of the month (UTC).';
COMMENT ON COLUMN mlinfn.month_state.rolled_at IS 'When its days were last added up.';

COMMENT ON COLUMN mlinfn.month_use.month IS 'First day of the month (UTC).';
COMMENT ON COLUMN mlinfn.month_use.node IS 'As in day_use.';
COMMENT ON COLUMN mlinfn.month_use.device IS 'As in day_use; empty: attempts without a device.';
COMMENT ON COLUMN mlinfn.month_use.owner_project IS 'As in day_use; empty: the platform''s own.';
COMMENT ON COLUMN mlinfn.month_use.given_to IS 'As in day_use; empty: the pool''s.';
COMMENT ON COLUMN mlinfn.month_use.granted IS 'As in day_use. False: in no period of device_period.';
COMMENT ON COLUMN mlinfn.month_use.username IS 'Who used it.';
COMMENT ON COLUMN mlinfn.month_use.project IS 'Project that was charged.';
COMMENT ON COLUMN mlinfn.month_use.class IS 'Priority class of the attempts.';
COMMENT ON COLUMN mlinfn.month_use.attempts IS 'Attempts that ended in this month.';
COMMENT ON COLUMN mlinfn.month_use.displaced IS 'Of the attempts, those that somebody took the slot from.';
COMMENT ON COLUMN mlinfn.month_use.failed IS 'Of the attempts, those that failed or vanished.';
COMMENT ON COLUMN mlinfn.month_use.claimed_s IS 'Seconds in which it was held.';
COMMENT ON COLUMN mlinfn.month_use.lost_s IS 'Seconds of claimed_s whose work nobody has.';
COMMENT ON COLUMN mlinfn.month_use.busy_s IS 'Seconds of computing within measured_s.';
COMMENT ON COLUMN mlinfn.month_use.measured_s IS 'Seconds of claimed_s, but lost ones, for which its utilisation is known.';
COMMENT ON COLUMN mlinfn.month_use.joules IS 'Energy within energy_s.';
COMMENT ON COLUMN mlinfn.month_use.energy_s IS 'Seconds of claimed_s for which its energy is known.';
COMMENT ON COLUMN mlinfn.month_use.handover_s IS 'Seconds that attempts waited for whom they displaced; not in claimed_s.';
COMMENT ON COLUMN mlinfn.month_use.cpu_s IS 'Core seconds that came with it.';

COMMENT ON COLUMN mlinfn.month_size.month IS 'First day of the month (UTC).';
COMMENT ON COLUMN mlinfn.month_size.model IS 'As in day_size.';
COMMENT ON COLUMN mlinfn.month_size.class IS 'As in day_size.';
COMMENT ON COLUMN mlinfn.month_size.quantity IS 'As in day_size.';
COMMENT ON COLUMN mlinfn.month_size.value IS 'Cores or MiB.';
COMMENT ON COLUMN mlinfn.month_size.tasks IS 'How many attempts had this value.';
COMMENT ON COLUMN mlinfn.month_size.first_day IS 'First day of the month in which an attempt had it.';
COMMENT ON COLUMN mlinfn.month_size.last_day IS 'Last such day.';

-- Schedules.

COMMENT ON COLUMN mlinfn_schedule.schedule.number IS 'Never given again: MlinfnRun of a job begins with it.';
COMMENT ON COLUMN mlinfn_schedule.schedule.owner IS 'In whose name it runs.';
COMMENT ON COLUMN mlinfn_schedule.schedule.name IS 'The owner''s name for it; a removed one leaves it free.';
COMMENT ON COLUMN mlinfn_schedule.schedule.kind IS 'What makes it due: the clock (cron, every), new rows of a table, new commits.';
COMMENT ON COLUMN mlinfn_schedule.schedule.zone IS 'Time zone that cron is meant in.';
COMMENT ON COLUMN mlinfn_schedule.schedule.misfire IS 'What missed due times get: no run (skip), one for all (once), one for each of the latest (all).';
COMMENT ON COLUMN mlinfn_schedule.schedule.grace_s IS 'So many seconds late a due time is not missed yet.';
COMMENT ON COLUMN mlinfn_schedule.schedule.catch_up IS 'Most missed due times that misfire all gives a run.';
COMMENT ON COLUMN mlinfn_schedule.schedule.jitter_s IS 'A run starts up to so many seconds after its due time.';
COMMENT ON COLUMN mlinfn_schedule.schedule.overlap IS 'True: also while the run before is in the queue.';
COMMENT ON COLUMN mlinfn_schedule.schedule.retries IS 'How often a failed run is tried again.';
COMMENT ON COLUMN mlinfn_schedule.schedule.retry_s IS 'Seconds before the first of these tries; doubled before each further one.';
COMMENT ON COLUMN mlinfn_schedule.schedule.at_latest_s IS 'rows: so many seconds after the run before any new row starts one. Null: only least does.';
COMMENT ON COLUMN mlinfn_schedule.schedule.added_at IS 'When it was added, or last given another clock; every counts from here.';
COMMENT ON COLUMN mlinfn_schedule.schedule.removed_at IS 'When it was removed. Null: it is in force.';

COMMENT ON COLUMN mlinfn_schedule.run.schedule IS 'Number of its schedule.';
COMMENT ON COLUMN mlinfn_schedule.run.due_at IS 'When it was due; of one that data started, when the data were seen.';
COMMENT ON COLUMN mlinfn_schedule.run.try IS '0, and one more for each try after a failed one.';
COMMENT ON COLUMN mlinfn_schedule.run.changed_at IS 'Since when it is in this state.';
COMMENT ON COLUMN mlinfn_schedule.run.cluster IS 'ClusterId of its job at batch@. Null: none was submitted.';
COMMENT ON COLUMN mlinfn_schedule.run.reason IS 'Why it is in this state, in words; empty: that is clear.';
COMMENT ON COLUMN mlinfn_schedule.run.until IS 'rows: a snapshot, commits: a commit, as far as the run''s data go; empty: the clock started it.';

COMMENT ON COLUMN mlinfn_schedule.health.kind IS 'What makes these schedules due: cron, every, rows or commits.';
COMMENT ON COLUMN mlinfn_schedule.health.schedules IS 'How many are in force.';
COMMENT ON COLUMN mlinfn_schedule.health.done IS 'Runs whose job ended well.';
COMMENT ON COLUMN mlinfn_schedule.health.failed IS 'Runs whose job failed, or was refused at submit.';
COMMENT ON COLUMN mlinfn_schedule.health.skipped IS 'Runs that never started, or whose job somebody removed.';
COMMENT ON COLUMN mlinfn_schedule.health.running IS 'Runs whose job is in the queue, or on its way there.';
COMMENT ON COLUMN mlinfn_schedule.health.due_since IS 'Start of the first run that waits for nothing but its time and the scheduler. Null: none waits.';

-- People.

COMMENT ON COLUMN mlinfn_identity.site.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN mlinfn_identity.site.first IS 'Lowest number that is given.';
COMMENT ON COLUMN mlinfn_identity.site.last IS 'Highest number that is given.';
COMMENT ON COLUMN mlinfn_identity.site.keep_days IS 'Days that data of somebody who has left stay.';

COMMENT ON COLUMN mlinfn_identity.person.uid IS 'His number, and that of his own group; for ever his.';
COMMENT ON COLUMN mlinfn_identity.person.name IS 'His account''s name; it may change.';
COMMENT ON COLUMN mlinfn_identity.person.joined_at IS 'When a source first told of him.';

COMMENT ON COLUMN mlinfn_identity.standing.uid IS 'The person''s number.';
COMMENT ON COLUMN mlinfn_identity.standing.source IS 'Who vouches: hub, or file: and the name of the file.';
COMMENT ON COLUMN mlinfn_identity.standing.projects IS 'Names of projects, the default one first.';

COMMENT ON COLUMN mlinfn_identity.former_name.uid IS 'The person''s number.';
COMMENT ON COLUMN mlinfn_identity.former_name.name IS 'A name that he had.';

COMMENT ON COLUMN mlinfn_identity.project.name IS 'The project''s name, and its group''s.';
COMMENT ON COLUMN mlinfn_identity.project.gid IS 'Number of its group; for ever its own.';

-- Instruments.

COMMENT ON COLUMN mlinfn_ingest.provider.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN mlinfn_ingest.provider.issuer IS 'Address of the provider, as its tokens name it (claim iss).';
COMMENT ON COLUMN mlinfn_ingest.provider.audience IS 'What tokens must be issued for (claim aud).';
COMMENT ON COLUMN mlinfn_ingest.provider.groups_claim IS 'Claim that lists the groups; a.b is b within a.';

COMMENT ON COLUMN mlinfn_ingest.membership.group_name IS 'As tokens name the group.';
COMMENT ON COLUMN mlinfn_ingest.membership.project IS 'Project whose rows its members write and see.';

COMMENT ON COLUMN mlinfn_ingest.declared.name IS 'Of the table, in schema api.';
COMMENT ON COLUMN mlinfn_ingest.declared.projects IS 'Whose it is; each sees its own rows only.';
COMMENT ON COLUMN mlinfn_ingest.declared.retention_days IS 'Days that a row stays. Null: for ever.';
COMMENT ON COLUMN mlinfn_ingest.declared.units IS 'Column → unit, in the words of the declaration.';
COMMENT ON COLUMN mlinfn_ingest.declared.added_at IS 'When it was first declared.';
