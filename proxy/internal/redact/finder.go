package redact

// unit is a byte of a text, and where its escape begins and ends there.
type unit struct {
	c          byte
	start, end int
}

// finder finds a word in a text that is fed to it byte by byte (Knuth, Morris, Pratt
// 1977).
type finder struct {
	chain
	word    string
	borders []int // for each length, that of the longest beginning of word that ends there
	found   func(start, end int)

	units  []unit // behind head, the beginning of word that the text ends with
	head   int
	before byte // what stands before that; 0 for nothing
	whole  bool // it is the word, if no letter or digit follows
}

// newFinder returns what finds value; with escapes, also where it is escaped.
func newFinder(value string, escapes bool) *finder {
	f := &finder{word: value}
	if escapes {
		f.chain = newChain()
		f.word = plain(value)
	}
	f.out = f.next
	f.borders = make([]int, len(f.word)+1)
	for i, k := 1, 0; i < len(f.word); i++ {
		for k > 0 && f.word[k] != f.word[i] {
			k = f.borders[k]
		}
		if f.word[k] == f.word[i] {
			k++
		}
		f.borders[i+1] = k
	}
	return f
}

// next is the next byte of the text, with its escapes undone.
func (f *finder) next(u unit) {
	if f.whole {
		f.whole = false
		if !isAlphanumeric(u.c) {
			f.hide()
		} else {
			f.fallBack()
		}
	}
	for f.matched() > 0 && f.word[f.matched()] != u.c {
		f.fallBack()
	}
	if f.word[f.matched()] != u.c {
		f.before = u.c
		return
	}
	f.units = append(f.units, u)
	switch {
	case f.matched() < len(f.word):
	case len(f.word) >= longToken:
		f.hide()
	case isAlphanumeric(f.before):
		f.fallBack()
	default:
		f.whole = true
	}
}

// matched is how much of the word the text ends with.
func (f *finder) matched() int { return len(f.units) - f.head }

// fallBack goes on with a shorter beginning of the word.
func (f *finder) fallBack() {
	f.head += f.matched() - f.borders[f.matched()]
	f.before = f.units[f.head-1].c
	if f.head > len(f.word) {
		f.units = f.units[:copy(f.units, f.units[f.head:])]
		f.head = 0
	}
}

// hide tells of the word that was found.
func (f *finder) hide() {
	f.found(f.units[f.head].start, f.units[len(f.units)-1].end)
	f.before, f.units, f.head = f.word[len(f.word)-1], f.units[:0], 0
}

// end is the end of the text.
func (f *finder) end() {
	f.flush()
	if f.whole {
		f.whole = false
		f.hide()
	}
}

// open returns where what may yet become the word begins, in a text of that length.
func (f *finder) open(length int) int {
	if f.matched() > 0 {
		return f.units[f.head].start
	}
	return f.waiting(length)
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
