import { describeCodec } from './codec.contract.ts';
import { createIdentity } from './identity.ts';
describeCodec('identity', createIdentity);
