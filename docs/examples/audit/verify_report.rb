# frozen_string_literal: true

# Check every line of a Stepwell control report against an export of the log, with Ruby, its OpenSSL
# and verify_proof.rb beside this file, without Stepwell.
#
#     ruby verify_report.rb VKEY REPORT.json FOLDER [SIGNATURE]
#
# VKEY is the verifier key of the log, or several, one in each line: those of witnesses, of keys that
# came later, of who signed the report. FOLDER is what `stepwell audit export` wrote, of the report's
# checkpoint or a later one. Exit status 1 when a line does not hold. What places outside say of times
# is repeated, not proved. docs/reference/controls.md has the rules, docs/reference/audit-format.md
# the bytes.

require "json"
require "stringio"
require_relative "verify_proof"

# The entries of an exported folder.
class ExportedEntries
  KINDS = %w[? workflow_registered task_submitted task_changed step_changed step_fenced worker_opened
             worker_closed worker_lost task_pruned breaker_changed task_erased event].freeze
  STEP = %w[pending ready running waiting succeeded failed skipped cancelled resolved].freeze
  TASK = %w[pending running paused succeeded failed cancelled resolved].freeze
  STATES = { 3 => TASK, 4 => STEP, 5 => STEP, 9 => TASK, 11 => TASK }.freeze
  NUMBERS = %w[entry_no time_us from to attempt epoch step_id worker_id].freeze

  attr_reader :rows, :bytes, :roots

  # Reads entries up to the largest of sizes, and the root of each size.
  def initialize(folder, sizes)
    @rows = []
    @bytes = []
    @roots = {}
    stack = [] # roots of complete subtrees, the largest first
    each_bytes(folder) do |data|
      break if @rows.size == sizes.max

      @bytes << data
      @rows << decode(data)
      grow(stack, sha256("\x00", data))
      @roots[@rows.size] = stack[0...-1].reverse.inject(stack.last) { |root, left| sha256("\x01", left, root) } if sizes.include?(@rows.size)
    end
  end

  # An entry as the report shows it.
  def shown(row)
    states = STATES[row["kind"]]
    moment = Time.at(0, row["time_us"], :microsecond).utc
    shown = NUMBERS.to_h { |name| [name, row[name].zero? ? nil : row[name]] }.except("time_us")
    shown.merge!("from" => states && states[row["from"]], "to" => states && states[row["to"]])
    shown.merge!(%w[step actor reason subject].to_h { |name| [name, row[name]&.dup&.force_encoding("UTF-8")] })
    id = row["task_id"].unpack1("H*")
    shown.merge("time" => moment.strftime("%Y-%m-%dT%H:%M:%S.%6NZ"), "kind" => KINDS[row["kind"]],
                "task_id" => id.match?(/[^0]/) ? id.sub(/(.{8})(.{4})(.{4})(.{4})/, '\1-\2-\3-\4-') : nil,
                "digest" => row["digest"]&.unpack1("H*"))
  end

  private

  def sha256(*parts)
    OpenSSL::Digest::SHA256.digest(parts.map(&:b).join)
  end

  def grow(stack, node)
    size = @rows.size
    while size.even?
      node = sha256("\x01", stack.pop, node)
      size >>= 1
    end
    stack << node
  end

  def each_bytes(folder)
    size = Integer(File.read(File.join(folder, "checkpoint")).split("\n").fetch(1), 10)
    (0...(size + 255) / 256).each do |number|
      groups = number.to_s.rjust((number.to_s.size + 2) / 3 * 3, "0").scan(/.../)
      path = File.join(folder, "tile/entries", *groups[0...-1].map { |group| "x#{group}" }, groups.last)
      width = [256, size - (256 * number)].min
      data = File.binread(width == 256 ? path : "#{path}.p/#{width}")
      until data.empty?
        length = data.unpack1("n")
        yield data.byteslice(2, length)
        data = data.byteslice(2 + length..)
      end
    end
  end

  def decode(data)
    raise Refused, "an entry of an unknown version or kind" unless data.getbyte(0) == 1 && KINDS[data.getbyte(1)]

    io = StringIO.new(data.byteslice(2..))
    row = { "kind" => data.getbyte(1), **NUMBERS.to_h { |name| [name, number(io)] }, "task_id" => io.read(16) }
    %w[step actor reason subject digest].each { |name| row[name] = string(io) }
    raise Refused, "an entry does not end where it should" unless io.eof?

    row
  end

  def number(io)
    value = shift = 0
    loop do
      byte = io.readbyte
      value |= (byte & 127) << shift
      shift += 7
      return value if byte < 128
    end
  end

  def string(io)
    size = number(io)
    size.zero? ? nil : io.read(size - 1)
  end
end

# What entries are evidence of.
class Evidence
  # Kind: what is answered when there is no such entry.
  ABSENT = {
    **%w[integrity anchored clock events payloads removals year six_years].to_h { |kind| [kind, "not_found"] },
    **%w[keys requests operators workers failures anomalies definitions pinned erasures].to_h { |kind| [kind, "not_applicable"] }
  }.freeze
  DAYS = { "year" => 365, "six_years" => 2192 }.freeze

  attr_reader :count

  def initialize(rows, window, notes)
    @sides = ABSENT.to_h { |kind, _| [kind, [[], []]] }
    @since = window["since_us"] || 0
    @until = window["until_us"] || Float::INFINITY
    @notes = notes
    @anchored = notes.select { |note| note["anchored"] }.map { |note| note["entries"] }.max || 0
    @definitions = {}
    @count = 0
    rows.each { |row| judge(row) }
    @kept = (@ended || rows.first["time_us"]) - rows.first["time_us"]
  end

  # Answer, count and sample for, count and sample against.
  def row(kind)
    good, bad = @sides.fetch(kind)
    answer = if bad.any? then "not_found"
             else good.any? ? "found" : ABSENT[kind]
             end
    answer = "not_found" if DAYS[kind] && @kept < DAYS[kind] * 86_400 * 1_000_000
    [answer, good.size, sample(good), bad.size, sample(bad)]
  end

  private

  def sample(numbers)
    numbers.size <= 5 ? numbers : numbers.first(3) + numbers.last(2)
  end

  def put(kind, good = true)
    @sides[kind][good ? 0 : 1] << @number
  end

  def given?(text)
    !text.nil? && !text.empty?
  end

  def judge(row)
    @number = row["entry_no"]
    kind = ExportedEntries::KINDS[row["kind"]]
    put("integrity")
    judge_checkpoints(row)
    @definitions[row["digest"].unpack1("H*")] = true if kind == "workflow_registered" && row["digest"]
    return if row["time_us"] >= @until

    @ended = row["time_us"]
    put("year")
    put("six_years")
    return if row["time_us"] < @since

    @count += 1
    put("anchored", @number <= @anchored)
    judge_kind(kind, row)
  end

  def judge_checkpoints(row)
    here = @notes.select { |note| note["entries"] == @number }
    times = here.filter_map { |note| note["time_us"] }
    put("clock", times.all? { |time| row["time_us"] / 1_000_000 <= time / 1_000_000 }) if times.any?
    put("keys") if here.any? { |note| note["successor"] }
  end

  def judge_kind(kind, row)
    put("definitions", given?(row["digest"])) if kind == "workflow_registered"
    if kind == "task_submitted"
      put("requests", given?(row["actor"]))
      put("pinned", @definitions.key?(row["subject"]))
    end
    put("events") if %w[task_changed step_changed].include?(kind)
    operators = %w[task_changed step_changed task_pruned task_erased breaker_changed].include?(kind)
    put("operators", given?(row["reason"])) if operators && given?(row["actor"])
    put("workers", row["worker_id"].positive?) if kind == "step_changed" && row["to"] == 2
    put("failures") if kind == "step_changed" && (row["to"] == 5 || given?(row["subject"]))
    put("failures") if kind == "task_changed" && row["to"] == ExportedEntries::TASK.index("failed")
    put("payloads") if %w[step_changed task_submitted].include?(kind) && given?(row["digest"])
    put("anomalies") if %w[step_fenced worker_lost breaker_changed].include?(kind)
    put("removals") if %w[task_pruned task_erased].include?(kind)
    put("erasures", given?(row["actor"]) && given?(row["reason"])) if kind == "task_erased"
  end
end

# Checks a report line by line.
class ReportVerifier
  def initialize(vkeys)
    @vkeys = vkeys.split("\n").reject(&:empty?)
    @proofs = ProofVerifier.new(@vkeys.find { |vkey| vkey.split("+", 3).last.unpack1("m0").getbyte(0) == 1 })
  end

  # What holds, in words.
  def check(text, folder, signature = nil)
    @report = JSON.parse(text)
    @log, @notes = @report.fetch_values("log", "checkpoints")
    refuse "another kind of report" unless @report["report"] == "stepwell control report 1"
    said = "stepwell control report\nsha256 #{@proofs.sha256(text).unpack1("H*")}\n"
    refuse "the signature is of another report" if signature && opened(signature).first != said
    @export = ExportedEntries.new(folder, @notes.map { |note| note["entries"] })
    @notes.each { |note| check_checkpoint(note) }
    check_log
    check_evidence
    check_controls
    check_proofs
    "#{@report["controls"].size} controls, #{@rows.size} kinds of evidence and #{@report["proofs"].size} " \
      "proofs hold in the #{@export.rows.size} entries of #{@log["origin"]}"
  end

  private

  def refuse(why)
    raise Refused, why
  end

  # The text of a signed note, and when the newest witness saw it; 0 for none.
  def opened(note)
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    good = @vkeys.flat_map do |vkey|
      name, id, key = vkey.split("+", 3)
      key = key.unpack1("m0")
      refuse "not a verifier key" unless @proofs.sha256(name, "\n", key)[0, 4].unpack1("H*") == id
      signatures(lines, name, id).map { |data| verified(key, text, data) }
    end
    refuse "a note is not signed by the keys given" unless good.any?(&:zero?)
    [text, good.max]
  end

  def signatures(lines, name, id)
    lines.lines(chomp: true).map { |line| line.split(" ", 3) }.filter_map do |_, signer, data|
      data = data.to_s.unpack1("m0")
      data if signer == name && data[0, 4].unpack1("H*") == id
    end
  end

  # When a witness saw the text; 0 of the log's own signature.
  def verified(key, text, data)
    seen = key.getbyte(0) == 4 ? data[4, 8].unpack1("Q>") : 0
    message = key.getbyte(0) == 4 ? "cosignature/v1\ntime #{seen}\n#{text}" : text
    refuse "a signature is not good" unless OpenSSL::PKey.read(ProofVerifier::DER + key[1..]).verify(nil, data[-64..], message)
    seen
  end

  def check_checkpoint(note)
    text, seen = opened(note["checkpoint"])
    seen *= 1_000_000
    origin, size, root, *more = text.split("\n")
    same = [origin, size, root.unpack1("m0")] == [@log["origin"], note["entries"].to_s, @export.roots[note["entries"]]]
    refuse "the export is not that of a checkpoint" unless same
    time = note["time_us"] || 0
    told = note["successor"] == more.any? { |line| line.start_with?("successor ") } &&
           note["anchored"] == !(note["place"].nil? && seen.zero?) && time >= seen && (note["place"] || time == seen)
    refuse "a checkpoint is not what the report says" unless told
  end

  def check_log
    rows = @export.rows
    size = @notes.map { |note| note["entries"] }.max
    refuse "the export has not as many entries" unless [rows.size, @log["entries"]] == [size, size]
    ordered = rows.map { |row| row["entry_no"] } == (1..size).to_a && rows.each_cons(2).all? { |a, b| a["time_us"] <= b["time_us"] }
    refuse "the entries are not in their order" unless ordered
    level = @notes.any? { |note| note["anchored"] } ? "anchored" : "signed"
    told = [@export.roots[size].unpack1("H*"), level, rows.first["time_us"], rows.last["time_us"]]
    named = @notes.any? { |note| note["entries"] == size && note["checkpoint"] == @log["checkpoint"] }
    refuse "the log is not what the report says" unless named && told == @log.values_at("root", "level", "began_us", "as_of_us")
  end

  def check_evidence
    evidence = Evidence.new(@export.rows, @report["window"], @notes)
    refuse "the window has another number of entries" unless @report["window"]["entries"] == evidence.count
    @rows = @report["evidence"].to_h { |row| [row["evidence"], row] }
    refuse "evidence is missing" unless @report["evidence"].map { |row| row["evidence"] }.sort == Evidence::ABSENT.keys.sort
    @rows.each do |kind, row|
      told = row.values_at("answer", "count", "entries", "against_count", "against")
      refuse "the evidence '#{kind}' does not hold" unless told == evidence.row(kind)
    end
  end

  def check_controls
    refuse "there are no controls" if @report["controls"].empty?
    @report["controls"].each do |control|
      asked = control["evidence"].map { |kind| @rows.fetch(kind) }
      answers = asked.map { |row| row["answer"] }
      answer = ["not_found", "found"].find { |word| answers.include?(word) } || "not_applicable"
      numbers = asked.flat_map { |row| row["entries"] + row["against"] }.uniq.sort
      refuse "the control #{control["control"]} does not hold" unless control.values_at("answer", "entries") == [answer, numbers]
    end
  end

  def check_proofs
    wanted = @rows.values.flat_map { |row| row["entries"] + row["against"] }.uniq.sort
    refuse "proofs are missing, or there are too many" unless @report["proofs"].map { |proof| proof["entry"]["entry_no"] } == wanted
    @report["proofs"].each do |proof|
      number = proof["entry"]["entry_no"]
      refuse "the proof of entry #{number} does not hold" unless proved?(proof, number)
    end
  end

  def proved?(proof, number)
    head, _, note = proof["proof"].partition("\n\n")
    first, extra, index, *hashes = head.split("\n")
    bytes = @export.bytes[number - 1]
    return false unless [first, note, index] == ["c2sp.org/tlog-proof@v1", @log["checkpoint"], "index #{number - 1}"]
    return false unless extra.delete_prefix("extra ").unpack1("m0") == bytes && proof["entry"] == @export.shown(@export.rows[number - 1])

    size = @export.rows.size
    hashes.map! { |line| line.unpack1("m0") }
    @proofs.included(@proofs.sha256("\x00", bytes), number - 1, size, hashes) == @export.roots[size]
  end
end

if $PROGRAM_NAME == __FILE__
  abort "usage: verify_report.rb VKEY REPORT.json FOLDER [SIGNATURE]" unless ARGV.size.between?(3, 4)

  begin
    vkeys, path, folder, *more = ARGV
    text, *signature = [path, *more].map { |name| File.read(name, encoding: "UTF-8") }
    puts "OK  #{ReportVerifier.new(vkeys).check(text, folder, *signature)}"
  rescue StandardError => e
    abort "the report does not hold: #{e.message}"
  end
end
