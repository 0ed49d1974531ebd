# frozen_string_literal: true

# Verify a Stepwell task file with Ruby and its OpenSSL alone, without Stepwell.
#
#     ruby verify_task.rb FILE [VKEY]
#
# Without VKEY, the verifier key of the log, nothing shows that the file was not made up as a whole.
# Exit status 1 when the file does not hold together. docs/reference/task-file.md describes every byte
# that is read here.

require "json"
require_relative "verify_proof"

# Entries of a log, from their bytes (docs/reference/audit-format.md).
module LogEntry
  KINDS = %i[workflow_registered task_submitted task_changed step_changed step_fenced worker_opened
             worker_closed worker_lost task_pruned breaker_changed task_erased event].freeze
  STEP = %w[pending ready running waiting succeeded failed skipped cancelled resolved].freeze
  TASK = %w[pending running paused succeeded failed cancelled resolved].freeze

  def self.decode(bytes)
    version, kind = bytes.unpack("CC")
    rest = bytes.byteslice(2..)
    entry = { kind: KINDS.fetch(kind - 1) }
    %i[no time_us from to attempt epoch step_id worker_id].each { |name| entry[name] = number(rest) }
    entry[:task_id] = rest.slice!(0, 16)
    # The length is one more than that of the string; 0 stands for one that is absent.
    %i[step actor reason subject digest].each do |name|
      size = number(rest)
      entry[name] = size.zero? ? nil : rest.slice!(0, size - 1)
    end
    raise Refused, "an entry has another form" unless version == 1 && rest.empty?

    entry
  end

  def self.number(rest)
    value = shift = 0
    loop do
      byte = rest.slice!(0, 1).unpack1("C") or raise Refused, "an entry ends too early"
      value |= (byte & 127) << shift
      shift += 7
      return value if byte < 128
    end
  end
end

# Follows the entries of one task: states by step, and what was sealed.
class TaskReplay
  attr_reader :state, :steps, :sealed

  def initialize(file)
    @task_id = [file["task"]["id"].delete("-")].pack("H*")
    @definition = file["definition"]
    @sealed = { events: {} }
    @steps = JSON.parse(@definition)["steps"].to_h { |step| [step["name"], [step["after"].empty? ? "ready" : "pending", 0, 0]] }
  end

  def follow(entry)
    kind = entry[:kind]
    refuse "entry #{entry[:no]} is about another task" if kind.start_with?("task", "step", "event") && entry[:task_id] != @task_id
    case kind
    when :task_submitted then submit(entry)
    when :task_changed then @state = move(entry, @state, LogEntry::TASK)
    when :step_changed then step(entry)
    when :event then @sealed[:events][entry[:no]] = entry[:digest]
    end
  end

  private

  def submit(entry)
    digest = OpenSSL::Digest::SHA256.hexdigest(@definition)
    refuse "the task was submitted with another definition" unless @state.nil? && entry[:subject] == digest
    @state = "pending"
    @sealed["input"] = entry[:digest]
  end

  def step(entry)
    name = entry[:step].dup.force_encoding("UTF-8")
    state, _, epoch = @steps.fetch(name)
    to = move(entry, state, LogEntry::STEP)
    refuse "an attempt is missing before entry #{entry[:no]}" unless [0, 1].include?(entry[:epoch] - epoch - (to == "running" ? 1 : 0))
    @steps[name] = [to, entry[:attempt], entry[:epoch]]
    if %w[succeeded resolved].include?(to)
      @sealed[[name, "result"]] = entry[:digest]
    elsif entry[:digest]
      @sealed[[name, "error"]] = entry[:digest]
    end
  end

  def move(entry, state, names)
    refuse "something is missing before entry #{entry[:no]}" unless names[entry[:from]] == state
    names.fetch(entry[:to])
  end

  def refuse(why)
    raise Refused, why
  end
end

# Holds a task file against its entries, and these against the root that their proofs lead to.
class TaskFileVerifier < ProofVerifier
  # Without a key nobody vouches for the root.
  def initialize(vkey = nil)
    super if vkey
    @signed = !vkey.nil?
  end

  # How many entries were proved, in words.
  def verify(file)
    refuse "not a task file of version 1" unless file.values_at("format", "version") == ["stepwell-task-file", 1]
    log = file["log"]
    root = [log["entries"], base64(log["root"])]
    refuse "the proofs lead to another root than the one that was signed" if @signed && checkpoint(log["checkpoint"].to_s) != root
    replay = TaskReplay.new(file)
    last = 0
    file["entries"].each do |row|
      replay.follow(entry(row, last, *root))
      last = row["no"]
    end
    rows(file, replay)
    "#{file["entries"].count { |row| row["proof"] }} of #{file["entries"].size} entries proved, #{@signed ? "signed" : "not signed"}"
  end

  private

  def entry(row, last, size, root)
    no, proof = row.values_at("no", "proof")
    bytes = base64(row["bytes"])
    refuse "entry #{no} lacks its proof" if proof.nil? == (no <= size)
    refuse "entry #{no} is not in the log" if proof && included(sha256("\x00", bytes), no - 1, size, proof.map { |hash| base64(hash) }) != root
    found = LogEntry.decode(bytes)
    refuse "entry #{no} stands in the wrong place" unless found[:no] == no && no > last
    refuse "the submission of the task is not proved" if found[:kind] == :task_submitted && proof.nil?
    found
  end

  def rows(file, replay)
    task = file["task"]
    refuse "the state of the task is not what its entries say" unless task["state"] == replay.state
    payload("the input", task["input"], replay.sealed["input"], "json")
    file["steps"].each do |step|
      name = step["name"]
      refuse "the row of step #{name} is not what its entries say" unless step.values_at("state", "attempt", "epoch") == replay.steps[name]
      payload("the result of step #{name}", step["result"], replay.sealed[[name, "result"]], "json")
      payload("the error of step #{name}", step["error"], replay.sealed[[name, "error"]], "class", "message", "detail")
    end
    events(file, replay.sealed[:events])
  end

  def events(file, sealed)
    refuse "the events are not those of the entries" unless file["events"].map { |row| row["no"] } == sealed.keys
    file["events"].each do |row|
      payload("event #{row["no"]}", row["payload"], sealed[row["no"]], "json", "key", "correlation_id")
    end
  end

  # SHA-256(salt || payload); of several parts each stands behind its length.
  def payload(what, found, sealed, *keys)
    digest = found && [found["digest"]].pack("H*")
    if found && found["salt"]
      parts = found.values_at(*keys).map { |part| part.to_s.b }
      parts = parts.flat_map { |part| [[part.bytesize].pack("Q>"), part] } if parts.size > 1
      digest = sha256([found["salt"]].pack("H*"), *parts)
    end
    refuse "#{what} is not the one that was sealed" unless digest == sealed
  end
end

if $PROGRAM_NAME == __FILE__
  begin
    path, vkey = ARGV
    puts "OK  #{TaskFileVerifier.new(vkey).verify(JSON.parse(File.read(path, encoding: "UTF-8")))}"
  rescue Refused, JSON::ParserError, ArgumentError, IndexError, TypeError, NoMethodError => e
    abort "the file does not hold: #{e.message}"
  end
end
