import 'reflect-metadata';

import { NestFactory } from '@nestjs/core';

import { addPeople } from '../people.js';
import { portOf, readPlaces, required } from '../places.js';
import { AppModule } from './app.module.js';

const places = readPlaces(process.env);
const app = await NestFactory.create(AppModule.register(places, required('USERS_API_SECRET')), {
  logger: ['error', 'warn'],
});
app.enableShutdownHooks();
addPeople(app);
await app.listen(portOf(places.usersApi));
console.log(`The users API listens on ${places.usersApi}`);
