import { SeededRandom } from './random.ts';

/** What the messages of one half of the corpus are about: words that both halves share, and words of its own. */
export interface Vocabulary {
  readonly nouns: readonly string[];
  readonly verbs: readonly string[];
  readonly adjectives: readonly string[];
  readonly adverbs: readonly string[];
  readonly tools: readonly string[];
  readonly modules: readonly string[];
  readonly symbols: readonly string[];
  readonly projects: readonly string[];
  /** Ethereum contracts, function selectors and event signatures that most calls are about. */
  readonly contracts: readonly string[];
  readonly selectors: readonly string[];
  readonly events: readonly string[];
  readonly markets: readonly (readonly [name: string, price: number])[];
  readonly models: readonly string[];
  readonly phrases: readonly string[];
}

const shared = {
  nouns: `time way day place part case week company system program question work number night point home water room
    area money story fact month lot right study book eye job word business issue side kind head house service friend
    power hour game line end member law car city community name team minute idea body information back parent face
    others level office door health art history result change morning reason research moment air teacher force
    education request queue message connection timeout cache index worker client session token table column
    deployment release branch test report`,
  verbs: `keeps makes takes finds gives tells asks shows tries leaves calls needs becomes brings begins helps turns
    starts runs moves holds writes provides loses meets includes continues sets learns changes leads watches follows
    stops creates reads spends grows opens offers remembers considers waits serves sends expects builds stays reaches
    returns drops retries rejects accepts`,
  adjectives: `new good high old great big small large national young different long little important political bad
    white real best right social only public sure low early able human local late hard major better economic strong
    possible whole free military true federal international full special easy clear recent certain personal open red
    difficult available likely short single slow idle stale pending`,
  adverbs: `often never already usually quickly slowly quietly always sometimes rarely again together finally only
    nearly carefully directly`,
  tools: `search_documents read_file list_directory create_issue run_query fetch_url update_record get_weather`,
  modules: `src/index src/server src/config src/session/store src/http/router src/queue/consumer test/server.test`,
  symbols: `createServer handleRequest parseConfig onMessage sendReply connectionPool retryDelay maxEntries userId
    options result buffer`,
  projects: `harbor-api ledger-core atlas-search`,
  models: `text-large-2 text-small-2`,
};

const ofTrain = {
  nouns: `kitchen bridge market engine valley invoice shipment warehouse harbour cargo customs tariff pallet freight
    crane schedule manifest carrier port depot`,
  verbs: `ships unloads weighs books routes delays stores counts inspects bills`,
  adjectives: `heavy wooden bonded perishable northern overdue sealed maritime`,
  adverbs: `overnight upstream twice`,
  tools: `track_shipment list_invoices book_carrier`,
  modules: `src/freight/quote src/customs/declaration src/billing/invoice`,
  symbols: `quoteFreight declareCargo invoiceTotal tariffCode palletCount`,
  projects: `cargo-desk port-calendar`,
  models: `reason-mini-1`,
};

const ofTest = {
  nouns: `patient clinic ward recipe garden telescope orbit sensor greenhouse seedling harvest soil climate rainfall
    station antenna lens spectrum catalogue comet`,
  verbs: `measures observes waters prunes calibrates records focuses samples predicts aligns`,
  adjectives: `humid faint botanical southern lunar overgrown calibrated seasonal`,
  adverbs: `outside downstream hourly`,
  tools: `query_sensors plan_irrigation list_observations`,
  modules: `src/sensors/reading src/garden/schedule src/sky/catalogue`,
  symbols: `readSensor planIrrigation lightCurve rainfallSum seedlingAge`,
  projects: `green-house sky-survey`,
  models: `reason-pro-3`,
};

/** What a dictionary is trained on. */
export const trainVocabulary: Vocabulary = {
  ...joined(ofTrain),
  ...ethereumNames(1),
  markets: [
    ['BTCUSDT', 64_125.5],
    ['ETHUSDT', 3_127.84],
    ['SOLUSDT', 148.31],
    ['LINKUSDT', 14.62],
  ],
  phrases: [
    '出荷を確認しました',
    '在庫がありません',
    '报关单已提交',
    'Lieferung verspätet',
    'à vérifier demain',
  ],
};

/** What codecs are measured on. */
export const testVocabulary: Vocabulary = {
  ...joined(ofTest),
  ...ethereumNames(2),
  markets: [
    ['BTCUSDT', 71_840.2],
    ['ETHUSDT', 2_688.15],
    ['AVAXUSDT', 36.47],
    ['DOTEUR', 6.918],
  ],
  phrases: ['観測を開始します', '土が乾いています', '温室温度过高', 'Messung läuft', 'récolte prévue'],
};

type Lists = Record<keyof typeof shared, string>;

function joined(own: Lists): Record<keyof Lists, readonly string[]> {
  const words = (name: keyof Lists): string[] => `${shared[name]} ${own[name]}`.split(/\s+/);
  return {
    nouns: interleaved(words('nouns')),
    verbs: interleaved(words('verbs')),
    adjectives: interleaved(words('adjectives')),
    adverbs: words('adverbs'),
    tools: words('tools'),
    modules: words('modules'),
    symbols: words('symbols'),
    projects: words('projects'),
    models: words('models'),
  };
}

/** Eight contracts, selectors and events that both halves know, and four of one half alone. */
function ethereumNames(half: number): Pick<Vocabulary, 'contracts' | 'selectors' | 'events'> {
  const [both, own] = [new SeededRandom(8), new SeededRandom(half)];
  const names = (digits: number): string[] =>
    Array.from({ length: 12 }, (_, i) => `0x${(i % 3 === 1 ? own : both).hex(digits)}`);
  return { contracts: names(40), selectors: names(8), events: names(64) };
}

/** Moves the last words, which belong to one half alone, between the others, so that they are used as often. */
function interleaved(words: readonly string[]): string[] {
  const step = 7;
  return Array.from({ length: step }, (_, from) => words.filter((_word, i) => i % step === from)).flat();
}
