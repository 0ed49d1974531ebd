# frozen_string_literal: true

require_relative "spec_helper"

# One task, two languages: a Ruby worker here and a Python process on the same file. Each claims only
# what it registered, and values cross both ways unchanged.
RSpec.describe "Ruby and Python in one task" do
  python = ENV.fetch("STEPWELL_PYTHON") { File.executable?("/usr/bin/python3") ? "/usr/bin/python3" : "python3" }
  path = File.join(ROOT, "wheels/stepwell/src")
  there = system({ "PYTHONPATH" => path }, python, "-c", "import stepwell", out: File::NULL, err: File::NULL)

  program = <<~'PYTHON'
    import sys
    from stepwell import Engine, Worker

    engine = Engine(sys.argv[1])

    @engine.handler("python.echo")
    def echo(ctx):
        return ctx.result("made")

    @engine.handler("python.born")
    def born(ctx):
        nested = None
        for level in range(60):
            nested = [nested] if level % 2 else {"k": nested}
        return {"int64": [2**63 - 1, -2**63], "big": [2**200 + 1, -10**40], "floats": [0.1, 1e308, 5e-324, 1/3, 3.0],
                "zero": -0.0, "text": "grün 日本 \u0000 \U0010ffff \u2028", "nothing": [None, {}, [], ""], "bools": [True, False],
                "nested": nested, "kind": [type(ctx.result("made")["big"][0]).__name__, type(ctx.result("made")["whole"]).__name__]}

    @engine.handler("python.fail")
    def fail(ctx):
        raise ValueError("grün")

    Worker(engine, threads=2, lease=5).run()
  PYTHON

  nested = 60.times.reduce(nil) { |value, level| level.odd? ? [value] : { "k" => value } }
  made = { "int64" => [2**63 - 1, -2**63], "big" => [2**200 + 1, -(10**40)], "floats" => [0.1, 1e308, 5e-324, 1 / 3.0, 3.0],
           "zero" => -0.0, "text" => "grün 日本 \u0000 \u{10ffff} \u2028", "nothing" => [nil, {}, [], ""],
           "bools" => [true, false], "nested" => nested, "whole" => 3.0 }

  before { skip "the Python package is not built in place (script/test builds it)" unless there }

  it "works, and keeps every value" do
    type = Class.new(Stepwell::Workflow) do
      workflow_name "mixed"
      step :made
      step :echo, after: :made, handler: "python.echo"
      step :born, after: :made, handler: "python.born"
      step :fail, after: :made, handler: "python.fail", retries: { attempts: 2, wait: 0 }, on_failure: :continue
      step :last, after: %i[echo born fail]
      define_method(:made) { |_| made }
      def last(ctx) = ctx.results
    end
    engine = open_engine(:sqlite)
    task = type.start(engine: engine)
    pid = Process.spawn({ "PYTHONPATH" => path }, python, "-c", program, File.join(directory, "sqlite.db"))
    processes << pid
    worker = Stepwell::Worker.new(engine: engine, workflows: type, threads: 2).start
    task.wait(timeout: 30)
    worker.stop
    Process.kill(:TERM, pid)
    end_of(pid)

    expect(task.status).to eq(:succeeded)
    expect(task.result(:echo)).to eq(made)
    expect(1 / task.result(:echo)[:zero]).to eq(-Float::INFINITY)
    expect(task.result(:echo)[:whole]).to be_a(Float)
    born = task.result(:born)
    expect(born.to_h.except("kind")).to eq(made.except("whole"))
    expect(1 / born[:zero]).to eq(-Float::INFINITY)
    expect(born[:kind]).to eq(%w[int float])
    expect(task.result(:last).keys).to eq(%w[echo born fail])
    expect(task.step(:fail)).to have_attributes(state: :failed, attempt: 2, error_message: "grün")
    expect(engine.audit_verify).to have_attributes(ok: true)
  end
end
