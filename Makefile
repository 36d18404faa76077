# make demo    sets up, builds and runs the main job on samples/tiny-mixtral
# make test    sets up and runs all tests
.PHONY: demo build test lint format bench fuzz tsan malformed damage setup completions manual clean

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

# What runs on several threads, under the thread sanitizer.
tsan: setup
	@bash Scripts/tsan.sh

# Malformed and tricky files, with the verdicts of other readers that are installed.
malformed: build
	rm -rf out/malformed
	python3 Scripts/make-malformed.py out/malformed
	python3 Scripts/check-malformed.py out/malformed --table out/malformed.md

# Every bit of a .bale flipped, every length, every page, 10,000 flips in 64 MiB; every system call failing. Then other
# formats under the same damage. Takes half an hour or more.
damage: build
	BALE_EXHAUSTIVE=1 swift test --filter 'FaultInjectionTests|FaultTests'
	python3 Scripts/compare-damage.py samples/tiny-mixtral/model.safetensors

completions: build
	@mkdir -p out/completions
	.build/release/bale --generate-completion-script bash > out/completions/bale.bash
	.build/release/bale --generate-completion-script zsh > out/completions/_bale
	.build/release/bale --generate-completion-script fish > out/completions/bale.fish

manual: setup
	swift package --allow-writing-to-package-directory generate-manual --multi-page --output-directory out/man

clean:
	rm -rf .build Benchmarks/.build Fuzz/.build out
