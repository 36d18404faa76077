# make demo    sets up, builds and runs the main job on samples/tiny-mixtral
# make test    sets up and runs all tests
.PHONY: demo build test lint format bench fuzz setup completions manual clean

MINUTES ?= 1

setup:
	@bash Scripts/setup.sh

build: setup
	swift build -c release --product bale

demo: build
	@bash Scripts/demo.sh

test: setup
	swift test --parallel

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks Fuzz

format:
	swift format --in-place --recursive Package.swift Sources Tests Benchmarks Fuzz

bench: build
	swift run -c release --package-path Benchmarks bench

fuzz: setup
	@bash Scripts/fuzz.sh $(MINUTES)

completions: build
	@mkdir -p out/completions
	.build/release/bale --generate-completion-script bash > out/completions/bale.bash
	.build/release/bale --generate-completion-script zsh > out/completions/_bale
	.build/release/bale --generate-completion-script fish > out/completions/bale.fish

manual: setup
	swift package --allow-writing-to-package-directory generate-manual --multi-page --output-directory out/man

clean:
	rm -rf .build Benchmarks/.build Fuzz/.build out
