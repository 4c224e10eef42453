// npm run bench -- ratelimit
import { benchChecks } from './check-benches.fixture.ts';

export { workOf } from './check-benches.fixture.ts';

benchChecks('sliding-window');
