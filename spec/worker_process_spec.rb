# frozen_string_literal: true

require_relative "spec_helper"

# Worker processes that are killed, asked to leave, or left alone, on one SQLite file.
RSpec.describe "worker processes" do
  # The workflow of every process here. Each step writes a line to a log, so that the example sees
  # what ran where.
  code = <<~'RUBY'
    class SlowWorkflow < Stepwell::Workflow
      step :quick
      step :slow, after: :quick

      def quick(ctx)
        note(ctx)
        sleep ctx.input[:pace] || 0
        { n: ctx.input[:n] }
      end

      def slow(ctx)
        note(ctx)
        sleep 0.02 until File.exist?(ENV.fetch("GO")) || ctx.cancelled?
        Process.pid
      end

      def note(ctx)
        File.write(ENV.fetch("LOG"), "#{ctx.step} #{ctx.attempt} #{ctx.fencing_token} #{Process.pid}\n", mode: "a")
      end
    end
  RUBY
  eval(code)
  worker = <<~'RUBY'
    Stepwell.configure(ENV.fetch("STORE"))
    Stepwell::Worker.new(workflows: [SlowWorkflow], threads: 2, lease: ENV.fetch("LEASE").to_f,
                         grace: ENV.fetch("GRACE").to_f).run
    Stepwell.engine.close
    exit 7
  RUBY

  let(:engine) { open_engine(:sqlite) }
  let(:go) { File.join(directory, "go") }

  define_method(:start_worker) do |lease: 60, grace: 20|
    environment = { "STORE" => File.join(directory, "sqlite.db"), "LOG" => File.join(directory, "log"), "GO" => go,
                    "LEASE" => lease.to_s, "GRACE" => grace.to_s }
    engine.info
    environment.each { |name, value| ENV[name] = value }
    start_ruby(code + worker)
  end

  # [[step, attempt, token, pid], ...]
  def log
    path = File.join(directory, "log")
    File.exist?(path) ? File.readlines(path, chomp: true).map { |line| line.split.then { |step, *rest| [step, *rest.map(&:to_i)] } } : []
  end

  def slow_runs
    log.select { |step, *| step == "slow" }
  end

  it "go on with what a killed process had in hand, and fence it" do
    task = SlowWorkflow.start(engine: engine, n: 1)
    first = start_worker(lease: 1)
    held = eventually { slow_runs.first }
    Process.kill(:KILL, first)
    end_of(first)
    second = start_worker(lease: 1)
    again = eventually { slow_runs[1] }
    File.write(go, "")
    task.wait(timeout: 30)

    expect(task.result(:slow)).to eq(second)
    expect(log.map(&:first)).to eq(%w[quick slow slow])
    expect(again[1]).to be >= held[1]
    expect(again[2]).to be > held[2]
    step = task.step(:slow)
    expect(engine.update_batch([[step.step_id, held[2], :succeeded, '"stale"']]).first).to be_fenced
    expect(task.reload.result(:slow)).to eq(second)
    expect(engine.audit_verify).to have_attributes(ok: true, reclaim_count: 1, fenced_count: 1)
    expect(task.history.map(&:reason)).to include("worker died")
  end

  # A worker that hears nothing looks by itself after five seconds.
  it "hear what another process starts while they wait" do
    pid = start_worker
    eventually { engine.worker_list.any? }
    sleep 0.3
    File.write(go, "")
    began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    task = SlowWorkflow.start(engine: engine, n: 1)
    expect(task.wait(timeout: 30).result(:slow)).to eq(pid)
    expect(Process.clock_gettime(Process::CLOCK_MONOTONIC) - began).to be < 3
  end

  it "release claims on SIGTERM without counting an attempt" do
    task = SlowWorkflow.start(engine: engine, n: 1)
    pid = start_worker(grace: 0.1)
    eventually { slow_runs.any? }
    Process.kill(:TERM, pid)
    expect(end_of(pid).exitstatus).to eq(7)

    expect(task.step(:slow)).to have_attributes(state: :ready, attempt: 0)
    expect(engine.worker_list).to eq([])
    other = start_worker
    File.write(go, "")
    expect(task.wait(timeout: 30).result(:slow)).to eq(other)
    expect(task.step(:slow).attempt).to eq(1)
  end

  it "finish what runs when there is grace, and exit on SIGINT" do
    task = SlowWorkflow.start(engine: engine, n: 1)
    pid = start_worker(grace: 20)
    eventually { slow_runs.any? }
    Process.kill(:INT, pid)
    sleep 0.2
    File.write(go, "")
    expect(end_of(pid).exitstatus).to eq(7)
    expect(task.reload.result(:slow)).to eq(pid)
  end

  it "release what runs when the process ends without stopping its worker" do
    endings = { "the end of the program" => "", "exit" => "exit 0", "an exception" => "raise 'x' rescue exit 0",
                "a signal" => "Process.kill(:TERM, Process.pid) && sleep" }
    endings.each_value do |ending|
      task = SlowWorkflow.start(engine: engine, n: 1)
      script = code + <<~RUBY
        Stepwell.configure(ENV.fetch("STORE"))
        task = Stepwell.engine.task(ARGV[0])
        worker = Stepwell::Worker.new(workflows: [SlowWorkflow], threads: 2).start
        sleep 0.01 until task.step(:slow).state == :running
        #{ending}
      RUBY
      ENV.update("STORE" => File.join(directory, "sqlite.db"), "LOG" => File.join(directory, "log"), "GO" => go)
      end_of(start_ruby(script, task.id))
      expect(task.step(:slow)).to have_attributes(state: :ready, attempt: 0, error_class: nil)
      expect(engine.worker_list).to eq([])
      task.cancel!
    end
  end

  it "end the grace on a second signal" do
    task = SlowWorkflow.start(engine: engine, n: 1)
    pid = start_worker(grace: 600)
    eventually { slow_runs.any? }
    2.times do
      Process.kill(:TERM, pid)
      sleep 0.2
    end
    expect(end_of(pid).exitstatus).to eq(7)
    expect(task.step(:slow).state).to eq(:ready)
  end

  it "share the work of many tasks, each step once" do
    File.write(go, "")
    tasks = Array.new(40) { |n| SlowWorkflow.start(engine: engine, n: n) }
    pids = Array.new(3) { start_worker }
    eventually { engine.worker_list.size == 3 }
    tasks.each { |task| task.wait(timeout: 60) }
    pids.each { |pid| Process.kill(:TERM, pid) }
    pids.each { |pid| expect(end_of(pid).exitstatus).to eq(7) }
    expect(log.size).to eq(80)
    expect(tasks.map { |task| task.result(:quick)[:n] }).to eq((0...40).to_a)
    expect(engine.audit_verify).to have_attributes(ok: true, commit_count: 80, reclaim_count: 0)
  end

  it "lose no acknowledged step over many kills" do
    File.write(go, "")
    tasks = Array.new(60) { |n| SlowWorkflow.start(engine: engine, n: n, pace: 0.04) }
    acknowledged = {}
    rounds = 0
    until tasks.all?(&:ended?)
      pid = start_worker(lease: 0.5)
      eventually { engine.worker_list.any? { |worker| worker.pid == pid } }
      sleep 0.05 + 0.05 * (rounds % 4)
      Process.kill(:KILL, pid)
      end_of(pid)
      tasks.each do |task|
        task.steps.each do |step|
          before = acknowledged[step.step_id]
          expect([step.state, step.result]).to eq([:succeeded, before]) if before
          acknowledged[step.step_id] = step.result if step.state == :succeeded
        end
      end
      rounds += 1
      raise "no end after #{rounds} kills" if rounds > 150
    end
    expect(rounds).to be > 3
    expect(tasks).to all(be_succeeded)
    expect(engine.audit_verify).to have_attributes(ok: true, commit_count: 120)
  end
end
