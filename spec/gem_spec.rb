# frozen_string_literal: true

require_relative "spec_helper"
require "rubygems/package"

# The gem as users get it: built, looked into, installed into an empty GEM_HOME, used by a fresh
# process that knows nothing of the checkout.
RSpec.describe "the gem", limit: 600 do
  folder = File.join(ROOT, "gems/stepwell")

  before(:all) do
    @place = Dir.mktmpdir("stepwell-gem")
    @gem = File.join(@place, "stepwell.gem")
    @build, @built = Open3.capture2e("gem", "build", "stepwell.gemspec", "--output", @gem, chdir: folder)
  end

  after(:all) { FileUtils.remove_entry(@place) }

  # Environment of a machine that has this gem and no checkout.
  def installed
    home = File.join(@place, "home")
    { "GEM_HOME" => home, "GEM_PATH" => home, "RUBYLIB" => nil, "RUBYOPT" => nil, "HOME" => @place,
      "BUNDLE_GEMFILE" => nil, "MAKEFLAGS" => "-j2" }
  end

  def contents
    Gem::Package.new(@gem).contents
  end

  it "is built without complaints but the one about a homepage, which the project does not have" do
    expect(@built).to be_success, @build
    complaints = @build.lines.grep(/WARNING|ERROR/).grep_v(/no homepage|specification-reference/)
    expect(complaints).to eq([])
  end

  it "holds the library, its types, the extension and the whole core, and nothing else" do
    expect(contents).to include("lib/stepwell.rb", "sig/stepwell.rbs", "ext/stepwell/extconf.rb", "ext/stepwell/rsw.h",
                                "ext/core/src/stepwell_all.c", "ext/core/include/stepwell.h", "LICENSE", "README.md")
    expect(contents).to all(match(%r{\A(lib/.*\.rb|sig/.*\.rbs|ext/stepwell/[^/]+\.[ch]|ext/stepwell/extconf\.rb|
                                      ext/core/(src|include)/.*\.[ch]|LICENSE|README\.md)\z}x))
  end

  it "holds every source that the checkout has" do
    sources = Dir.glob("{src,include}/**/*.{c,h}", base: File.join(ROOT, "core")).map { |path| "ext/core/#{path}" } +
              Dir.glob("*.{c,h}", base: File.join(ROOT, "ext_ruby")).map { |path| "ext/stepwell/#{path}" } +
              Dir.glob("lib/**/*.rb", base: folder) + Dir.glob("sig/*.rbs", base: folder)
    expect(sources - contents).to eq([])
  end

  it "needs no other gem at run time" do
    spec = Gem::Package.new(@gem).spec
    expect(spec.dependencies).to eq([])
    expect(spec.required_ruby_version.to_s).to eq(">= 3.1")
    expect(spec.version.to_s).to eq(Stepwell::VERSION)
    expect(spec.metadata).to include("rubygems_mfa_required" => "true")
  end

  it "has the licence of the project" do
    expect(File.read(File.join(folder, "LICENSE"))).to eq(File.read(File.join(ROOT, "LICENSE")))
  end

  it "refuses to be built without the core" do
    hollow = File.join(@place, "hollow")
    FileUtils.mkdir_p(hollow)
    FileUtils.cp_r([*Dir[File.join(folder, "{lib,sig}")], *Dir[File.join(folder, "*.{gemspec,md}")],
                    File.join(folder, "LICENSE")], hollow)
    output, status = Open3.capture2e("gem", "build", "stepwell.gemspec", chdir: hollow)
    expect(status).not_to be_success
    expect(output).to include("ext/core/src/stepwell_all.c")
  end

  it "says which packages are missing" do
    bare = File.join(@place, "bare")
    FileUtils.mkdir_p(bare)
    environment = { "PKG_CONFIG_LIBDIR" => bare, "PKG_CONFIG_PATH" => bare }
    output, status = Open3.capture2e(environment, RbConfig.ruby, File.join(folder, "ext/stepwell/extconf.rb"), chdir: bare)
    expect(status).not_to be_success
    expect(output).to include("apt-get install pkg-config libsqlite3-dev libyaml-dev libjansson-dev libssl-dev")
      .and include("dnf install").and include("brew install")
  end

  it "is installed into an empty GEM_HOME and runs a workflow" do
    output, status = Open3.capture2e(installed, "gem", "install", "--local", "--no-document", @gem, chdir: @place)
    expect(status).to be_success, output

    script = <<~'RUBY'
      require "stepwell"
      abort "not the installed one: #{$LOADED_FEATURES.grep(/stepwell/).first}" unless $LOADED_FEATURES.grep(/stepwell/).all? { |path| path.start_with?(ENV["GEM_HOME"]) }
      class GreetWorkflow < Stepwell::Workflow
        step :ask
        step :answer, after: :ask
        def ask(ctx) = { name: ctx.input[:name] }
        def answer(ctx) = "Hello #{ctx.result(:ask)[:name]}"
      end
      Stepwell.configure("greetings.db")
      task = GreetWorkflow.start(name: "Ada")
      Stepwell::Worker.new(workflows: [GreetWorkflow]).run(until: task)
      puts task.result(:answer), Stepwell.engine.audit_verify.ok
    RUBY
    output, status = Open3.capture2e(installed, RbConfig.ruby, "-e", script, chdir: @place)
    expect(status).to be_success, output
    expect(output).to eq("Hello Ada\ntrue\n")
  end
end
