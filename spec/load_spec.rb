# frozen_string_literal: true

require_relative "spec_helper"

# What `require "stepwell"` does to a program: very little.
RSpec.describe "loading" do
  def run_ruby(script)
    output, status = Open3.capture2e(RbConfig.ruby, "-I", LIBRARY, "-e", script)
    expect(status).to be_success, output
    output
  end

  it "starts no thread, opens no file that stays open, and adds no method to core classes" do
    run_ruby(<<~'RUBY')
      require "json"
      look = lambda do
        methods = [Kernel, Object, BasicObject, Module, Class, String, Symbol, Hash, Array, Integer, Float, NilClass, Struct]
                  .map { |type| [type.instance_methods(false), type.private_instance_methods(false), type.singleton_methods] }
        constants = Object.constants.sort - %i[Stepwell DidYouMean]
        [Thread.list.size, Dir.children("/proc/self/task").size, Dir.children("/proc/self/fd").size, methods,
         constants, Signal.list.keys.size, at_exit_count = 0]
      end
      look.call
      before = look.call
      require "stepwell"
      after = look.call
      before.zip(after).each_with_index { |(was, is), i| abort "changed #{i}: #{(is - was rescue is)}" unless was == is }
    RUBY
  end

  def seconds_of(loading)
    Array.new(7) do
      run_ruby(<<~RUBY).to_f
        start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        #{loading}
        print Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
      RUBY
    end.min
  end

  it "takes no longer than parts of the standard library" do
    floor = seconds_of('require "json"; require "openssl"')
    expect(seconds_of('require "stepwell"')).to be < 1.5 * floor
  end

  it "gives no warnings" do
    output, = Open3.capture2e(RbConfig.ruby, "-w", "-I", LIBRARY, "-e", 'require "stepwell"')
    expect(output).to eq("")
  end

  it "has the version of the core" do
    expect(Stepwell::VERSION).to eq(Stepwell::CORE_VERSION)
    expect(File.read(File.join(ROOT, "core/include/stepwell/abi.h"))).to include("SW_VERSION \"#{Stepwell::VERSION}\"")
  end

  it "exports nothing but its initializer" do
    library = $LOADED_FEATURES.find { |path| path.end_with?("stepwell/stepwell.so") }
    skip "nm is not there" unless system("which nm", out: File::NULL)
    symbols = `nm --dynamic --defined-only #{library}`.lines.map { |line| line.split.last }
    expect(symbols.grep(/sw_|rsw_/)).to eq([])
    expect(symbols).to include("Init_stepwell")
  end

  it "has types for every public class and method" do
    types = Dir[File.join(ROOT, "gems/stepwell/sig/*.rbs")].map { |path| File.read(path) }.join
    [Stepwell::Engine, Stepwell::Task, Stepwell::Context].each do |type|
      hidden = %i[inspect to_s == eql? hash cancel]
      (type.public_instance_methods(false) - hidden).each do |name|
        expect(types).to match(/(def|attr_reader) #{Regexp.escape(name)}:/), "#{type}##{name} has no type"
      end
    end
    rows = Stepwell.constants.map { |name| Stepwell.const_get(name) }.select { |type| type.is_a?(Class) && type < Struct }
    rows.each do |row|
      body = types[/class #{row.name.delete_prefix("Stepwell::")} < Struct.*?\n  end/m]
      expect(body&.scan(/attr_reader (\w+)/)&.flatten).to eq(row.members.map(&:to_s)), row.name
    end
  end
end
