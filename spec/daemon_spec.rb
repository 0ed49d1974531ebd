# frozen_string_literal: true

require_relative "spec_helper"

# A program that opens an engine and then becomes a daemon, as servers that load their application
# first do. Process.daemon forks, so the engine stays behind with a parent that ends.
RSpec.describe "Process.daemon" do
  program = <<~'RUBY'
    path, answer = ARGV
    engine = Stepwell::Engine.open(path)
    engine.register_text('{"stepwell":1,"name":"w","steps":[{"name":"a"}]}')
    id = engine.submit([{ workflow: "w" }]).first.task_id
    Process.daemon(true, true)
    begin
      said = [id]
      begin
        engine.get(id)
        said << "went through"
      rescue Stepwell::ForkedEngineError
        said << "refused"
      end
      own = Stepwell::Engine.open(path)
      worker = own.worker_open(handlers: ["w.a"])
      row = own.exchange(worker, [], 1, 5000).claims.first
      own.exchange(worker, [[row.step_id, row.epoch, :succeeded]], 0, 0)
      said << own.wait(id, 5000).state << Process.pid
      own.close
    rescue Exception => e # a daemon has nobody else to tell
      said << e.full_message(highlight: false)
    end
    File.write("#{answer}.new", JSON.generate(said))
    File.rename("#{answer}.new", answer)
  RUBY

  it "refuses the engine from before, and lets the daemon open its own" do
    path = File.join(directory, "sqlite.db")
    answer = File.join(directory, "answer")
    engine = open_engine(:sqlite)
    pid = start_ruby(program, path, answer)
    expect(end_of(pid)).to be_success
    eventually { File.exist?(answer) }
    id, inherited, state, daemon = JSON.parse(File.read(answer))
    expect([inherited, state]).to eq(%w[refused succeeded])
    expect(daemon).not_to eq(pid)
    expect(engine.get(id).state).to eq(:succeeded)
    expect(engine.audit_verify.ok).to be(true)
  end
end
