# frozen_string_literal: true

require_relative "spec_helper"

# The Ruby blocks of the guide and of the gem's README, and the example programs, do what they say.
RSpec.describe "the documentation" do
  # Run in an empty folder with warnings on.
  def run_ruby(*arguments, **environment)
    Open3.capture2e(environment.transform_keys(&:to_s), RbConfig.ruby, "-w", "-I", LIBRARY, *arguments, chdir: directory)
  end

  # The blocks as one program. A "# => value" behind an expression is checked when the value is
  # complete Ruby.
  def program(path)
    lines = File.read(path).scan(/^```ruby\n(.*?)^```/m).join("\n").lines.map do |line|
      expression, value = line.chomp.match(/\A(\s*)(\S.*?)\s+# => (.+)\z/)&.values_at(2, 3)
      expression && checked?(expression, value) ? "expect_value((#{expression}), (#{value}), #{value.dump})\n" : line
    end
    <<~RUBY + lines.join
      # frozen_string_literal: true
      def expect_value(found, expected, text)
        raise "\#{found.inspect} instead of \#{text}" unless found == expected
      end
    RUBY
  end

  def checked?(expression, value)
    return false if value.include?("...") || expression.match?(/\A\w+ = /)

    RubyVM::InstructionSequence.compile("(#{value})") && RubyVM::InstructionSequence.compile("(#{expression})")
    true
  rescue SyntaxError
    false
  end

  { "the guide" => "docs/guide/ruby.md", "the guide to forecasts" => "docs/guide/forecast.md",
    "the guide to events" => "docs/guide/events.md",
    "the README of the gem" => "gems/stepwell/README.md" }.each do |name, path|
    it "of #{name} runs" do
      code = program(File.join(ROOT, path))
      output, status = run_ruby("-e", code)
      expect(status).to be_success, output
      expect(output).not_to match(/warning: (?!possibly useless|unused literal)/)
    end
  end

  it "of the guide has values that are checked" do
    expect(program(File.join(ROOT, "docs/guide/ruby.md")).scan("expect_value(").size).to be > 10
    expect(program(File.join(ROOT, "docs/guide/forecast.md")).scan("expect_value(").size).to be >= 8
    expect(program(File.join(ROOT, "docs/guide/events.md")).scan("expect_value(").size).to be >= 11
  end

  outputs = {
    "hello" => /\AHello Ada\n\z/,
    "order" => /\Asucceeded: paid 1011 after 3 attempts\nfailed: CardDeclined, .*\nship .*\nthe same .* true\nintegrity/,
    "low_level" => /\A100 tasks in 4 exchanges\nfile-99: succeeded/
  }
  outputs.each do |name, expected|
    it "has the example #{name}.rb" do
      output, status = run_ruby(File.join(ROOT, "docs/examples/ruby/#{name}.rb"))
      expect(status).to be_success, output
      expect(output).to match(expected)
    end
  end

  it "has the example worker.rb" do
    path = File.join(ROOT, "docs/examples/ruby/worker.rb")
    store = File.join(directory, "squares.db")
    pid = Process.spawn({ "STEPWELL_DB" => store }, RbConfig.ruby, "-I", LIBRARY, path, "work")
    processes << pid
    output, status = run_ruby(path, "start", "1", "12", STEPWELL_DB: store)
    expect(status).to be_success, output
    expect(output.lines).to match([/\A1 squared is 1, says process #{pid}$/, /\A12 squared is 144, says process #{pid}$/])
    Process.kill(:TERM, pid)
    expect(end_of(pid)).to be_success
  end

  it "has no example that is not run" do
    programs = Dir.children(File.join(ROOT, "docs/examples/ruby")).sort
    expect(programs).to eq([*outputs.keys, "worker"].map { |name| "#{name}.rb" }.sort)
  end
end
